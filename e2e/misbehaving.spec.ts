import { askOnlyWhenPressed, waitForNextTry } from './fixtures.js';
import { settle } from './settle.js';
import { movesOf, vouchersOf } from './shop.js';
import { expect, test, type Spoiling } from './spoiling.js';

test.use({ expectedErrors: /net::ERR_|502 \(Bad Gateway\)|TypeError/ });

const PORTAL = { title: 'This network wants you to sign in', help: 'Open any web page and sign in there. Then come back.' };
const GATEWAY = { title: 'The shop does not answer', help: 'It is not your phone. We keep asking, and your points are safe.' };
const NONSENSE = { title: 'That was not an answer from the shop', help: 'Nothing is lost. Please try again in a moment.' };
const NOTHING = { title: 'No connection', help: 'Check your connection and try again. Your points are safe.' };

const SAID: [Spoiling, { title: string; help: string }][] = [
  ['portal', PORTAL],
  ['portal-redirect', PORTAL],
  ['gateway', GATEWAY],
  ['truncated', NONSENSE],
  ['empty', NONSENSE],
  ['other-kind', NONSENSE],
  ['cut', NOTHING],
  ['dropped', NOTHING],
];

for (const [spoiling, { title, help }] of SAID) {
  test(`an answer that is ${spoiling} is recognised, and asked for again by itself`, async ({ page, signIn, network }) => {
    await signIn('linh');
    network.spoil(spoiling, /\/me\/status/);
    await page.goto('/');
    await expect(page.getByRole('heading', { name: title })).toBeVisible();
    await expect(page.getByRole('alert')).toContainText(help);
    network.heal();
    await waitForNextTry(page);
    await expect(page.getByText('€6.25', { exact: true })).toBeVisible();
    await expect(page.getByRole('alert')).toHaveCount(0);
  });
}

for (const [path, data] of [['/', /\/me\/status/], ['/activity', /\/me\/ledger/]] as const) {
  test(`${path} that failed stands still while the wallet asks again by itself`, async ({ page, signIn, network }) => {
    await signIn('linh');
    network.spoil('gateway', data);
    await page.goto(path);
    const failure = page.getByRole('main').getByRole('alert');
    await expect(failure).toBeVisible();
    const changed = await failure.evaluateHandle((failure) => {
      const changes: string[] = [];
      const watch = new MutationObserver((all) => changes.push(...all.map(({ type }) => type)));
      watch.observe(failure.closest('main')!, { childList: true, characterData: true, subtree: true });
      return changes;
    });
    const answer = page.waitForResponse((response) => data.test(response.url()));
    await waitForNextTry(page);
    await (await answer).finished();
    await settle(page);
    expect(await changed.jsonValue()).toEqual([]);
    network.heal();
    await waitForNextTry(page);
    await expect(failure).toHaveCount(0);
  });
}

test('what was not answered is asked for again by itself, even where another answer came right after it', async ({ page, signIn, network }) => {
  await signIn('linh');
  network.spoil('empty', /\/me\/status/);
  const answerRest = network.hold(/\/programme$/);
  const broken = page.waitForResponse('**/api/v1/me/status');
  const good = page.waitForResponse('**/api/v1/programme');
  // Both are there before the program is.
  await page.route(/loyalty-wallet-[^/]*\.wasm$/, async (route) => {
    await (await broken).finished();
    answerRest();
    await (await good).finished();
    await route.continue();
  });
  await page.goto('/');
  await expect(page.getByRole('heading', { name: NONSENSE.title })).toBeVisible();
  network.heal();
  await waitForNextTry(page);
  await expect(page.getByText('€6.25', { exact: true })).toBeVisible();
});

for (const spoiling of ['portal', 'gateway', 'truncated', 'dropped'] as const) {
  test(`whoever tries again after an answer that was ${spoiling} is answered at once`, async ({ page, signIn, network }) => {
    await askOnlyWhenPressed(page);
    await signIn('linh');
    network.spoil(spoiling, /\/me\/status/);
    await page.goto('/');
    const again = page.getByRole('button', { name: 'Try again' });
    await again.click();
    await expect(again).toBeVisible();
    network.heal();
    await again.click();
    await expect(page.getByText('€6.25', { exact: true })).toBeVisible();
    await expect(page.getByRole('alert')).toHaveCount(0);
  });
}

test('an answer of another shape is never shown, and never kept', async ({ page, signIn, network }) => {
  await askOnlyWhenPressed(page);
  await signIn('linh');
  await page.goto('/');
  await expect(page.getByText('€6.25', { exact: true })).toBeVisible();
  network.spoil('other-shape', /\/me\/status/);
  await page.reload();
  await expect(page.getByRole('status').filter({ hasText: NONSENSE.title })).toContainText('Showing what was known at');
  await expect(page.getByText('€6.25', { exact: true })).toBeVisible();
  // Nothing of it was kept: the next visit shows what was known before, too.
  await page.reload();
  await expect(page.getByRole('status').filter({ hasText: NONSENSE.title })).toBeVisible();
  await expect(page.getByText('€6.25', { exact: true })).toBeVisible();
  network.heal();
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect(page.getByText(NONSENSE.title)).toHaveCount(0);
  await expect(page.getByText('€6.25', { exact: true })).toBeVisible();
});

test('an answer that never ends is given up', async ({ page, signIn, network }) => {
  await signIn('linh');
  // Ten times as fast as it is; the browser's own timers follow no other clock.
  await page.addInitScript(() => {
    const real = AbortSignal.timeout.bind(AbortSignal);
    AbortSignal.timeout = (milliseconds) => real(milliseconds / 10);
  });
  network.spoil('endless', /\/me\/status/);
  await page.goto('/');
  await expect(page.getByRole('heading', { name: NOTHING.title })).toBeVisible();
  network.heal();
  await waitForNextTry(page);
  await expect(page.getByText('€6.25', { exact: true })).toBeVisible();
});

test('the whole shop behind a portal says so, and opens once one is through', async ({ page, signIn, network }) => {
  await signIn('linh');
  network.spoil('portal');
  await page.goto('/');
  await expect(page.getByRole('heading', { name: PORTAL.title })).toBeVisible();
  network.heal();
  await waitForNextTry(page);
  await expect(page.getByText('€6.25', { exact: true })).toBeVisible();
});

test('who signs out behind a portal is not told that they did', async ({ page, signIn, network }) => {
  await signIn('linh');
  await page.goto('/you');
  await expect(page.getByRole('heading', { name: 'Linh' })).toBeVisible();
  network.spoil('portal', /\/auth\/sessions\/current/);
  await page.getByRole('button', { name: 'Sign out' }).click();
  await expect(page.getByRole('alert').filter({ hasText: PORTAL.title })).toBeVisible();
  await expect(page.getByRole('heading', { name: 'Linh' })).toBeVisible();
});

for (const spoiling of ['portal', 'gateway', 'truncated', 'other-shape', 'empty', 'cut'] as const) {
  test(`a tap whose answer is ${spoiling} happens once`, async ({ page, signIn, network }) => {
    await signIn('linh');
    const keys = new Set<string>();
    page.on('request', (request) => {
      if (request.method() === 'POST' && request.url().endsWith('/redemptions')) {
        keys.add(request.headers()['idempotency-key'] ?? '');
      }
    });
    await page.goto('/use');
    await page.getByRole('button', { name: '€2' }).click();
    await expect(page.getByRole('heading', { name: '400 leaves take €2.00 off' })).toBeVisible();
    network.spoil(spoiling, /\/api\/v1\/redemptions$/, { method: 'POST', times: 2 });
    await page.getByRole('button', { name: 'Use €2.00 now' }).click();
    await expect(page.getByText('No answer yet')).toBeVisible();
    await expect(page.getByRole('heading', { name: 'Show this at the till', level: 1 })).toBeVisible({ timeout: 15_000 });
    expect(keys.size).toBe(1);
    expect(await movesOf(page)).toEqual([-400]);
    expect(await vouchersOf(page)).toHaveLength(7);
  });
}

test.describe("on a device whose clock is more than an hour behind the shop's", () => {
  test('what is left of a voucher is right, and it is said once where one looks after oneself', async ({ page, context, signIn }) => {
    await signIn('linh');
    await context.clock.setSystemTime(new Date('2026-11-21T08:45:00Z'));
    await page.goto('/use');
    await page.getByRole('button', { name: '€2' }).click();
    await page.getByRole('button', { name: 'Use €2.00 now' }).click();
    await expect(page.getByRole('heading', { name: 'Show this at the till', level: 1 })).toBeVisible();
    // Until 23:00, and it is 11:00 in the shop.
    await expect(page.getByRole('main')).toContainText(/1[12]\sh \d+\smin left/);
    await page.goto('/you');
    await expect(page.getByText('This device’s clock is 1 hour off')).toBeVisible();
    await expect(page.getByText('The wallet corrects for it.')).toBeVisible();
    await context.clock.setSystemTime(new Date('2026-11-21T10:00:00Z'));
    await page.reload();
    await expect(page.getByRole('heading', { name: 'Linh' })).toBeVisible();
    await expect(page.getByText('The wallet corrects for it.')).toHaveCount(0);
  });
});
