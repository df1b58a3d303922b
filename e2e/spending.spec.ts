import { askOnlyWhenPressed, waitForNextTry } from './fixtures.js';
import { availableOf, expect, makeVoucher, movesOf, test, vouchersOf } from './shop.js';
import type { Page, Request } from '@playwright/test';

const REDEMPTIONS = '**/api/v1/redemptions';

/** What the sample's Linh has. */
const ALL = 1250;

const voucherShown = (page: Page) => page.getByRole('heading', { name: 'Show this at the till', level: 1 });

async function openConverter(page: Page, amount: RegExp | string): Promise<void> {
  await page.goto('/use');
  await page.getByRole('button', { name: amount }).click();
}

/** The keys of the requests that were to make a voucher. */
function watchKeys(page: Page): Set<string> {
  const keys = new Set<string>();
  page.on('request', (request: Request) => {
    if (request.method() === 'POST' && request.url().endsWith('/redemptions')) {
      keys.add(request.headers()['idempotency-key'] ?? '');
    }
  });
  return keys;
}

test('three taps lead from home to a code', async ({ page, signIn }) => {
  await signIn('linh');
  await page.goto('/');
  await page.getByRole('link', { name: 'Use it' }).click();
  await page.getByRole('button', { name: 'All €6.25' }).click();
  await page.getByRole('button', { name: 'Use €6.25 now' }).click();

  await expect(voucherShown(page)).toBeFocused();
  const [voucher] = await vouchersOf(page);
  expect(voucher).toMatchObject({ state: 'reserved', points: ALL });
  await expect(page).toHaveURL(`/vouchers/${voucher?.id}`);
  await expect(page.getByRole('main')).toContainText(`${voucher?.code.slice(0, 4)}\u00a0${voucher?.code.slice(4)}`);
  await expect(page.getByText('€6.25 off')).toBeVisible();
  expect(await movesOf(page)).toEqual([-ALL]);

  // What was left behind is done with: back leads home, where the voucher can be found again.
  await page.getByRole('link', { name: 'Back' }).click();
  await expect(page.getByText('€0.00', { exact: true })).toBeVisible();
  await page.getByRole('link', { name: /€6\.25 off/ }).click();
  await expect(voucherShown(page)).toBeVisible();
});

test('all that matters is said before the tap, in the size of everything else', async ({ page, signIn, a11y }) => {
  await signIn('linh');
  await openConverter(page, '€2');
  await expect(page.getByRole('heading', { name: '400 leaves take €2.00 off' })).toBeVisible();
  for (const [name, value] of [
    ['It costs', '400 leaves'],
    ['You keep', '850 leaves · €4.25'],
    ['Use it until', 'today, 23:00'],
    ['Where', 'every Brightleaf till'],
  ] as const) {
    await expect(page.getByRole('listitem').filter({ hasText: name })).toContainText(value);
  }
  const undo = page.getByText('To undo it, open the voucher and tap “Undo” before the till uses it.');
  const [own, body] = await undo.evaluate((element) =>
    [element, document.body].map((of) => getComputedStyle(of).fontSize),
  );
  expect(own).toBe(body);
  await a11y.audit();
});

test('the same tap delivered five times is one voucher', async ({ page, signIn }) => {
  await signIn('linh');
  await page.route(REDEMPTIONS, async (route) => {
    const answers = await Promise.all([1, 2, 3, 4, 5].map(() => route.fetch()));
    // Those that came while the first was still under way are told to wait; all others get its very answer.
    const good = answers.find((answer) => answer.status() === 201);
    expect(answers.map((answer) => answer.status()).filter((status) => status !== 201 && status !== 409)).toEqual([]);
    await route.fulfill({ response: good });
  });
  await openConverter(page, '€2');
  const button = page.getByRole('button', { name: 'Use €2.00 now' });
  await expect(button).toHaveAttribute('aria-disabled', 'false');
  await button.evaluate((element: HTMLElement) => {
    for (let taps = 0; taps < 5; taps++) element.click();
  });
  await expect(voucherShown(page)).toBeVisible();
  expect(await movesOf(page)).toEqual([-400]);
  expect(await availableOf(page)).toBe(ALL - 400);
});

test('a reward is taken with one tap on its page', async ({ page, signIn }) => {
  await signIn('linh');
  await page.goto('/rewards/small-coffee');
  const cost = page.getByRole('button', { name: /^Use \d+\sleaves now$/ });
  await expect(cost).toHaveAttribute('aria-disabled', 'false');
  await expect(page.getByText('open the voucher and tap “Undo”')).toBeVisible();
  await cost.click();
  await expect(voucherShown(page)).toBeVisible();
  await expect(page.getByRole('main').getByText('Small coffee')).toBeVisible();
  expect(await vouchersOf(page)).toHaveLength(7);
});

test.describe('without an answer', () => {
  test.use({ expectedErrors: /net::ERR_|TypeError|409 \(Conflict\)|50\d \(/ });

  test('that was lost on its way, the same is asked again', async ({ page, signIn }) => {
    await signIn('linh');
    const keys = watchKeys(page);
    let lost = 0;
    await page.route(REDEMPTIONS, async (route) => {
      if (lost++ === 0) {
        await route.fetch();
        return route.abort();
      }
      return route.continue();
    });
    await openConverter(page, '€2');
    await page.getByRole('button', { name: 'Use €2.00 now' }).click();
    await expect(page.getByRole('status').filter({ hasText: 'No answer yet' })).toBeVisible();
    await expect(voucherShown(page)).toBeVisible();
    expect(lost).toBe(2);
    expect(keys.size).toBe(1);
    expect(await movesOf(page)).toEqual([-400]);
  });

  test('a reload in the middle says what became of it', async ({ page, signIn }) => {
    await signIn('linh');
    const keys = watchKeys(page);
    let arrived!: () => void;
    const hasArrived = new Promise<void>((resolve) => (arrived = resolve));
    let tries = 0;
    await page.route(REDEMPTIONS, async (route) => {
      if (tries++ > 0) return route.continue();
      await route.fetch();
      // The answer never comes: the page is gone before.
      arrived();
    });
    await openConverter(page, '€2');
    await page.getByRole('button', { name: 'Use €2.00 now' }).click();
    await hasArrived;
    await page.goto('/');
    const notice = page.getByRole('status').filter({ hasText: 'Your voucher is ready' });
    await expect(notice).toContainText('€2.00 off, for 400 leaves. They were taken once.');
    expect(keys.size).toBe(1);
    expect(await movesOf(page)).toEqual([-400]);
    await notice.getByRole('link', { name: 'Show it' }).click();
    await expect(voucherShown(page)).toBeVisible();
    await page.reload();
    await expect(voucherShown(page)).toBeVisible();
    await expect(page.getByText('Your voucher is ready')).toHaveCount(0);
  });

  test('a dead network is waited for, on whatever screen one is', async ({ page, signIn }) => {
    await askOnlyWhenPressed(page);
    await signIn('linh');
    const keys = watchKeys(page);
    await page.route(REDEMPTIONS, (route) => route.abort());
    await openConverter(page, '€2');
    await page.getByRole('button', { name: 'Use €2.00 now' }).click();
    const waiting = page.getByRole('status').filter({ hasText: 'No answer yet' });
    await expect(waiting).toContainText('However often we ask, it happens only once.');
    await expect(page.getByRole('button', { name: 'One moment…' })).toHaveAttribute('aria-disabled', 'true');
    await page.getByRole('link', { name: 'Rewards', exact: true }).click();
    await expect(waiting).toBeVisible();
    expect(await movesOf(page)).toEqual([]);

    // It is asked by itself all the same, after a few tries only each quarter of a minute.
    for (let tries = 0; tries < 5; tries++) {
      const tried = page.waitForEvent('requestfailed', (request) => request.url().endsWith('/redemptions'));
      await waitForNextTry(page);
      await tried;
    }
    await page.unroute(REDEMPTIONS);
    await page.getByRole('button', { name: 'Ask now' }).click();
    await expect(page.getByRole('status').filter({ hasText: 'Your voucher is ready' })).toBeVisible();
    expect(keys.size).toBe(1);
    expect(await movesOf(page)).toEqual([-400]);
    await page.getByRole('button', { name: 'Close' }).click();
    await expect(page.getByText('Your voucher is ready')).toHaveCount(0);
  });

  test('the server stopped before the tap is asked until it is back', async ({ page, signIn, shop }) => {
    await signIn('linh');
    await openConverter(page, '€2');
    await expect(page.getByRole('heading', { name: '400 leaves take €2.00 off' })).toBeVisible();
    await shop.stop();
    await page.getByRole('button', { name: 'Use €2.00 now' }).click();
    await expect(page.getByText('No answer yet')).toBeVisible();
    await shop.start();
    await waitForNextTry(page);
    await expect(voucherShown(page)).toBeVisible();
    expect(await movesOf(page)).toEqual([-400]);
  });

  test('the server stopped between the tap and its answer has done it once', async ({ page, signIn, shop }) => {
    await signIn('linh');
    let tries = 0;
    await page.route(REDEMPTIONS, async (route) => {
      if (tries++ > 0) return route.continue();
      await route.fetch();
      await shop.stop();
      return route.abort();
    });
    await openConverter(page, '€2');
    await page.getByRole('button', { name: 'Use €2.00 now' }).click();
    await expect(page.getByText('No answer yet')).toBeVisible();
    await shop.start();
    await waitForNextTry(page);
    await expect(voucherShown(page)).toBeVisible();
    expect(await movesOf(page)).toEqual([-400]);
    expect(await vouchersOf(page)).toHaveLength(7);
  });

  test('a price of more than five minutes ago is never paid: the new one is shown first', async ({ page, signIn, till }) => {
    await signIn('linh');
    await openConverter(page, '€2');
    await expect(page.getByRole('heading', { name: '400 leaves take €2.00 off' })).toBeVisible();
    await till.moveClock('2026-11-21T10:06:00Z');
    await page.getByRole('button', { name: 'Use €2.00 now' }).click();
    const notice = page.getByRole('status').filter({ hasText: 'Nothing was taken' });
    await expect(notice).toContainText('What you saw was older than five minutes.');
    expect(await movesOf(page)).toEqual([]);
    await page.getByRole('button', { name: 'Use €2.00 now' }).click();
    await expect(voucherShown(page)).toBeVisible();
    expect(await movesOf(page)).toEqual([-400]);
  });

  test('two phones of one member agree', async ({ page, context, signIn }) => {
    await signIn('linh');
    await openConverter(page, 'All €6.25');
    await expect(page.getByRole('heading', { name: '1,250 leaves take €6.25 off' })).toBeVisible();
    const other = await context.newPage();
    await other.goto('/');
    await expect(other.getByText('€6.25', { exact: true })).toBeVisible();

    // The first must not hear of it before its own tap.
    await page.route('**/api/v1/me/events', (route) => route.abort());
    await page.route('**/api/v1/me/status', (route) => route.abort());
    await makeVoucher(other, { spend: { points: 400 } });
    await expect(other.getByText('€4.25', { exact: true })).toBeVisible({ timeout: 2_000 });
    await expect(other.getByRole('link', { name: /€2\.00 off/ })).toBeVisible();
    await page.unroute('**/api/v1/me/status');
    await page.getByRole('button', { name: 'Use €6.25 now' }).click();
    await expect(page.getByRole('status').filter({ hasText: 'Nothing was taken' })).toBeVisible();
    await expect(page.getByRole('button', { name: 'All €4.25' })).toBeVisible();
    expect(await movesOf(page)).toEqual([-400]);
  });
});

test('a tap belongs to who made it: the next member at this phone is not asked about it', async ({ page, signIn }) => {
  await signIn('reza');
  await page.addInitScript(() => localStorage.setItem('lw.spending', '512102314864 abc spend q'));
  const keys = watchKeys(page);
  await page.goto('/');
  await expect(page.getByText(/Hello Reza/)).toBeVisible();
  await expect(page.getByText('Nothing was taken')).toHaveCount(0);
  expect(keys.size).toBe(0);
});
