import { expect, test } from './fixtures.js';
import type { Page } from '@playwright/test';

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
