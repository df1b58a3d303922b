import { expect, test } from './fixtures.js';
import type { Locator, Page } from '@playwright/test';

test('everything that happened stands by its day, with the reason', async ({ page, signIn }) => {
  await signIn('linh');
  await page.goto('/activity');
  await expect(page.getByRole('heading', { name: 'Activity', level: 1 })).toBeVisible();
  await expect(page.getByRole('heading', { level: 2 }).first()).toHaveText('Yesterday');
  const entries = page.getByRole('main').getByRole('listitem');
  const kettle = entries.filter({ hasText: 'Returned: Kettle' });
  await expect(kettle).toContainText('took back what its €29.90 had earned');
  await expect(kettle).toContainText('-299');
  const pending = entries.nth(1);
  await expect(pending).toContainText('Shopping, Main Street');
  await expect(pending).toContainText('€8.50 · yours to use on 2 Dec');
  await expect(pending).toContainText('+85');
  const gift = entries.filter({ hasText: 'Thank you for being with us' });
  await expect(gift).toContainText('a gift, to use until 31 December');
  await expect(gift).toContainText('+120');
  await expect(page.getByText('That is everything since the beginning.')).toBeVisible();
});

test('a filter shows one kind, or says that there is none', async ({ page, signIn }) => {
  await signIn('linh');
  await page.goto('/activity');
  const entries = page.getByRole('main').getByRole('listitem');
  await expect(entries).toHaveCount(23);
  await page.getByRole('button', { name: 'Returned' }).click();
  await expect(entries).toHaveCount(1);
  await page.getByRole('button', { name: 'Used' }).click();
  await expect(entries).toHaveCount(6);
  await page.getByRole('button', { name: 'Corrected' }).click();
  await expect(page.getByRole('heading', { name: 'Nothing of this kind' })).toBeVisible();
  await page.getByRole('button', { name: 'All', exact: true }).click();
  await expect(entries).toHaveCount(23);
});

test('Amir, to whom nothing has happened yet, is told what will stand here', async ({ page, signIn }) => {
  await signIn('amir');
  await page.goto('/activity');
  await expect(page.getByRole('heading', { name: 'Nothing has happened yet' })).toBeVisible();
  await expect(page.getByText('Your first purchase will stand here, with what it earned.')).toBeVisible();
});

test("Siti's years go on and on, each entry once and in its order", async ({ page, signIn }) => {
  await signIn('siti');
  const expected = await ledger(page, 350);
  await page.goto('/activity');
  const entries = page.getByRole('main').getByRole('listitem');
  await expect(entries).toHaveCount(50);
  // Growing must not draw anew what stands already: a list of thousands would stutter with each page.
  const first = await entries.first().elementHandle();
  for (let pages = 2; pages <= 7; pages++) {
    await entries.last().scrollIntoViewIfNeeded();
    await page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight));
    await expect.poll(() => entries.count()).toBeGreaterThanOrEqual(pages * 50);
  }
  expect(await first?.evaluate((element) => element.isConnected)).toBe(true);

  const shown = await entries.evaluateAll((items) => items.map((item) => /[+-][\d,]+(?=€)/.exec(item.textContent ?? '')?.[0]));
  const signed = new Intl.NumberFormat('en', { signDisplay: 'exceptZero' });
  expect(shown.slice(0, 350)).toEqual(expected.map((entry) => signed.format(entry.points)));

  const days = await page.getByRole('heading', { level: 2 }).allTextContents();
  expect(new Set(days).size, 'no day stands twice').toBe(days.length);

  // Whoever looks at one of them comes back to it, although nobody has laid out the days above it since.
  const link = entries.nth(320).getByRole('link');
  const top = () => link.evaluate((element) => element.getBoundingClientRect().top);
  await link.scrollIntoViewIfNeeded();
  await link.evaluate((element) => {
    element.addEventListener('click', () => Object.assign(window, { left: element.getBoundingClientRect().top }));
  });
  await link.click();
  await expect(page.getByRole('heading', { level: 1 })).toBeFocused();
  const left = await page.evaluate(() => (window as unknown as { left: number }).left);
  await page.goBack();
  await expect.poll(async () => Math.abs((await top()) - left)).toBeLessThan(5);
});

test('the list goes on for somebody who is at its end before it has grown', async ({ page, signIn }) => {
  await signIn('siti');
  await page.goto('/activity');
  const entries = page.getByRole('main').getByRole('listitem');
  await expect(entries).toHaveCount(50);
  // Whoever flings the list stands at its new end in the very moment in which that is drawn.
  await page.evaluate(() => {
    const toTheEnd = () => scrollTo(0, document.documentElement.scrollHeight);
    new MutationObserver(toTheEnd).observe(document.querySelector('main')!, { childList: true, subtree: true });
    toTheEnd();
  });
  await expect.poll(() => entries.count()).toBeGreaterThanOrEqual(350);
});

test('a return tells what it took, how that was counted, and leads to its purchase and back', async ({ page, signIn, a11y }) => {
  await signIn('linh');
  await page.goto('/activity');
  const main = page.getByRole('main');
  await main.getByRole('link', { name: /Returned: Kettle/ }).press('Enter');
  await expect(page).toHaveURL(/\/activity\/[\w-]+$/);
  const heading = page.getByRole('heading', { name: 'Returned: Kettle', level: 1 });
  await expect(heading).toBeFocused();
  await expect(main).toContainText('You took goods for €29.90 back to Main Street. So 299 leaves went back too.');
  await expect(fact(page, 'When')).toContainText('20 November 2026');
  await expect(fact(page, 'You had after it')).toContainText('1,335 leaves · €6.67');
  await expect(steps(page)).toHaveText([
    '€1 spent gave 10 leaves.',
    '€41.40 of this purchase had given 414 leaves.',
    'You kept goods for €11.50. They give 115 leaves.',
    'So 299 leaves went back.',
  ]);
  await a11y.audit();

  await main.getByRole('link', { name: /Shopping, Main Street/ }).click();
  await expect(page.getByRole('heading', { name: 'Shopping, Main Street', level: 1 })).toBeFocused();
  await expect(steps(page)).toHaveText(['€1 spent gave 10 leaves.', 'So €41.40 gave 414 leaves.']);
  await expect(main.getByRole('link', { name: /Returned: Kettle/ })).toBeVisible();
  await page.goBack();
  await expect(heading).toBeFocused();
  await page.getByRole('link', { name: 'Back' }).click();
  await expect(page.getByRole('heading', { name: 'Activity', level: 1 })).toBeFocused();
});

test('what waits and what ends has its day, and what was used its voucher', async ({ page, signIn }) => {
  await signIn('linh');
  await page.goto('/activity');
  const main = page.getByRole('main');
  await main.getByRole('link', { name: /€8.50 · yours to use on 2 Dec/ }).click();
  await expect(main).toContainText('You can use 85 leaves from 2 December on. Until then you can still take the goods back.');
  await expect(fact(page, 'Can be used until')).toContainText('2027');
  await expect(main.getByRole('link', { name: 'Put the dates in my calendar' })).toHaveAttribute('download', '');
  await page.goBack();
  await main.getByRole('link', { name: /Thank you for being with us/ }).click();
  await expect(main).toContainText('You can use them until 31 December.');
  await page.goBack();
  await main.getByRole('link', { name: /Money off at the till/ }).first().click();
  await expect(main).toContainText(/You used [\d,]+ leaves. That takes €[\d.]+ off at the till./);
  const { items } = await (await page.request.get('/api/v1/me/ledger?kind=spend&limit=100')).json();
  const { id } = items.find((entry: { reference: { reward: string | null } }) => !entry.reference.reward).reference;
  await expect(main.getByRole('link', { name: 'See the voucher' })).toHaveAttribute('href', `/vouchers/${id}`);
});

test("a gold member's entry says what the tier made of it", async ({ page, signIn }) => {
  await signIn('siti');
  const { items } = await (await page.request.get('/api/v1/me/ledger?kind=earn&limit=100')).json();
  for (const entry of items) {
    const { rate } = await (await page.request.get(`/api/v1/me/ledger/${entry.id}`)).json();
    if (rate.multiplier_permille !== 1200) continue;
    await page.goto(`/activity/${entry.id}`);
    await expect(steps(page).nth(1)).toHaveText('Your tier made that 1.2 times as much.');
    return;
  }
  throw new Error('no purchase of a gold member');
});

test.describe('without an answer', () => {
  test.use({ expectedErrors: /net::ERR_|404/ });

  test('an entry of somebody else is not there', async ({ page, signIn }) => {
    await signIn('siti');
    const { items } = await (await page.request.get('/api/v1/me/ledger?limit=1')).json();
    await page.context().clearCookies();
    await signIn('linh');
    await page.goto(`/activity/${items[0].id}`);
    await expect(page.getByRole('heading', { name: 'We cannot find this' })).toBeVisible();
  });

  test('what the list said of an entry stays, and it is explained as soon as there is an answer', async ({ page, signIn }) => {
    await signIn('linh');
    await page.goto('/activity');
    await page.route('**/api/v1/me/ledger/*', (route) => route.abort());
    await page.getByRole('link', { name: /Returned: Kettle/ }).click();
    await expect(page.getByText('No connection')).toBeVisible();
    await expect(page.getByText('You took goods for €29.90 back')).toBeVisible();
    await expect(steps(page)).toHaveCount(0);
    await page.unroute('**/api/v1/me/ledger/*');
    await expect(steps(page)).toHaveCount(4);
    await expect(page.getByText('No connection')).toHaveCount(0);
  });
});

/** A fact of an entry, by its name. */
function fact(page: Page, name: string): Locator {
  return page.getByRole('listitem').filter({ hasText: name }).last();
}

/** How an entry was counted. */
function steps(page: Page): Locator {
  return page.locator('ol').getByRole('listitem');
}

async function ledger(page: Page, count: number): Promise<{ points: number }[]> {
  const entries: { points: number }[] = [];
  let after = '';
  while (entries.length < count) {
    const answer = await page.request.get(`/api/v1/me/ledger?limit=50${after}`);
    const { items, next } = await answer.json();
    entries.push(...items);
    after = `&after=${encodeURIComponent(next)}`;
  }
  return entries.slice(0, count);
}
