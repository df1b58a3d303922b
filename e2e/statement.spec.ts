import { askOnlyWhenPressed, expect, test } from './fixtures.js';
import { readFile } from 'node:fs/promises';
import type { Locator, Page } from '@playwright/test';

type Statement = { opening: number; closing: number; entries: { points: number; balance_after: number }[] };

test('a statement has its sums and every line, and its sums agree', { tag: '@desktop' }, async ({ page, signIn, a11y }) => {
  await signIn('linh');
  await page.goto('/activity');
  await page.getByRole('link', { name: 'Statement' }).click();
  await expect(page.getByRole('heading', { name: 'Statement', level: 1 })).toBeFocused();
  await expect(page.getByRole('heading', { name: '1 November 2026 to 21 November 2026' })).toBeVisible();
  await agrees(page, '2026-11-01', '2026-11-21');
  await expect(sum(page, 'Gone back with returns')).toContainText('-299');
  await a11y.audit();

  await page.getByRole('button', { name: 'This year' }).click();
  await expect(page.getByRole('heading', { name: '1 January 2026 to 21 November 2026' })).toBeVisible();
  await agrees(page, '2026-01-01', '2026-11-21');
  await page.getByRole('button', { name: 'Last month' }).click();
  await expect(page.getByRole('heading', { name: '1 October 2026 to 31 October 2026' })).toBeVisible();
  await agrees(page, '2026-10-01', '2026-10-31');
  await page.getByRole('row').last().getByRole('link').click();
  await expect(page.getByRole('heading', { name: 'How we counted' })).toBeVisible();
});

test('any two days can be chosen, and what cannot be is said', async ({ page, signIn, a11y }) => {
  await signIn('linh');
  await page.goto('/statement');
  await page.getByRole('button', { name: 'Other days' }).click();
  const [from, to] = [page.getByLabel('From'), page.getByLabel('To')];
  await from.fill('2026-11-25');
  await expect(page.getByText('The first day must not come after the last.')).toBeVisible();
  await from.fill('2025-01-01');
  await expect(page.getByText('Please choose one year at most.')).toBeVisible();
  await expect(page.getByRole('heading', { name: '1 November 2026 to 21 November 2026' })).toBeVisible();
  await a11y.audit();
  await to.fill('2025-12-31');
  await expect(page.getByRole('heading', { name: '1 January 2025 to 31 December 2025' })).toBeVisible();
  await expect(page.getByText('Please choose one year at most.')).toHaveCount(0);
  await agrees(page, '2025-01-01', '2025-12-31');
});

test('a time in which nothing happened says so', async ({ page, signIn }) => {
  await signIn('amir');
  await page.goto('/statement');
  await expect(page.getByText('Nothing happened in this time.')).toBeVisible();
  await expect(sum(page, 'You had at the end')).toContainText('0\u00a0leaves · €0.00');
  await expect(page.getByRole('table')).toHaveCount(0);
});

test('paper has the shop, the member and every line, and nothing to press', async ({ page, signIn }) => {
  await signIn('linh');
  await page.goto('/statement');
  await expect(page.getByRole('table')).toBeVisible();
  const number = page.getByText('5121\u00a00231\u00a04864');
  await expect(number).toBeHidden();
  await page.evaluate(() => Object.assign(window, { print: () => document.body.setAttribute('data-printed', '') }));
  await page.getByRole('button', { name: 'Print' }).click();
  await expect(page.locator('[data-printed]')).toHaveCount(1);

  await page.emulateMedia({ media: 'print' });
  await expect(number).toBeVisible();
  await expect(page.getByText('mail@brightleaf.example')).toBeVisible();
  await expect(page.getByRole('heading', { name: '1 November 2026 to 21 November 2026' })).toBeVisible();
  await expect(page.getByRole('navigation')).toBeHidden();
  for (const button of await page.getByRole('button').all()) await expect(button).toBeHidden();
});

test('a spreadsheet gets the same lines, headed in the language of the wallet', async ({ page, signIn, prefer }) => {
  await signIn('linh');
  await prefer({ language: 'fa' });
  await page.goto('/statement');
  // A month of the Persian calendar.
  await expect(page.getByRole('heading', { level: 2 })).toHaveText('۱ آبان ۱۴۰۵ تا ۳۰ آبان ۱۴۰۵');
  const { entries } = await statement(page, '2026-10-23', '2026-11-21');
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('link', { name: /CSV/ }).click(),
  ]);
  expect(download.suggestedFilename()).toMatch(/\.csv$/);
  const lines = (await readFile(await download.path(), 'utf8')).trim().split(/\r?\n/);
  expect(lines[0]).toMatch(/[آ-ی]/);
  for (const { balance_after } of entries) {
    expect(lines.some((line) => line.split(/[,;]/).includes(String(balance_after))), `${balance_after}`).toBe(true);
  }
});

test('the days that matter come as a file for a calendar', async ({ page, signIn }) => {
  await signIn('linh');
  await page.goto('/activity');
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('link', { name: 'Dates to calendar' }).click(),
  ]);
  const file = await readFile(await download.path(), 'utf8');
  expect(file).toMatch(/^BEGIN:VCALENDAR\r\n/);
  // The 85 leaves that wait, and the 120 that end with the year.
  expect(file).toContain('DTSTART;VALUE=DATE:20261202');
  expect(file).toContain('DTSTART;VALUE=DATE:20261231');
});

test.describe('without an answer', () => {
  test.use({ expectedErrors: /net::ERR_/ });

  test('a statement that did not come can be asked for again', async ({ page, signIn }) => {
    await askOnlyWhenPressed(page);
    await signIn('linh');
    await page.route('**/api/v1/me/statement*', (route) => route.abort());
    await page.goto('/statement');
    await expect(page.getByRole('heading', { name: 'No connection' })).toBeVisible();
    await page.unroute('**/api/v1/me/statement*');
    await page.getByRole('button', { name: 'Try again' }).click();
    await agrees(page, '2026-11-01', '2026-11-21');
  });
});

/** A sum of the statement, by its name. */
function sum(page: Page, name: string): Locator {
  return page.getByRole('listitem').filter({ hasText: name });
}

async function statement(page: Page, from: string, to: string): Promise<Statement> {
  const answer = await page.request.get(`/api/v1/me/statement?from=${from}&to=${to}`);
  return answer.json();
}

/** The screen shows what the server says of these days, and its numbers add up. */
async function agrees(page: Page, from: string, to: string): Promise<void> {
  const { opening, closing, entries } = await statement(page, from, to);
  const number = new Intl.NumberFormat('en');
  await expect(sum(page, 'You had before')).toContainText(`${number.format(opening)}\u00a0`);
  await expect(sum(page, 'You had at the end')).toContainText(`${number.format(closing)}\u00a0`);
  const rows = page.getByRole('row').filter({ has: page.getByRole('cell') });
  await expect(rows).toHaveCount(entries.length);
  const changes = await rows.locator('td:nth-child(3)').allTextContents();
  const shown = changes.map((text) => Number(text.replace(/,/g, '')));
  expect(shown).toEqual(entries.map((entry) => entry.points));
  const sums = await page.locator('.facts > li > b').allTextContents();
  const total = sums.slice(0, -1).map((text) => Number(/^[+-]?[\d,]+/.exec(text)?.[0].replace(/,/g, '')));
  expect(total.reduce((a, b) => a + b, 0)).toBe(closing);
}
