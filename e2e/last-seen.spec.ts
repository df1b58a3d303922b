import type { Page } from '@playwright/test';
import { hold } from './hold.js';
import { expect, test } from './shop.js';

const PROGRAM = /loyalty-wallet-[^/]*\.wasm$/;

const seen = (page: Page) => page.locator('#shell [data-shell="seen"]');
const frame = (page: Page) => page.locator('#shell [data-shell="home"] .worth__money .skeleton');
const isTaken = (page: Page) => page.evaluate(() => localStorage.getItem('lw.home-of') !== null);

async function visit(page: Page): Promise<void> {
  await page.goto('/');
  await expect(page.locator('#app .worth__money')).toBeVisible();
  await expect.poll(() => isTaken(page)).toBe(true);
}

/** Where every word of home stands that one sees without scrolling. */
const words = (page: Page, within: string) =>
  page.evaluate((within) => {
    const found: string[] = [];
    for (const element of document.querySelectorAll(`${within} .screen *`)) {
      const text = [...element.childNodes].find((node) => node.nodeType === 3 && node.nodeValue?.trim())?.nodeValue;
      const { x, y, width, height } = element.getBoundingClientRect();
      if (text && height > 1 && y < innerHeight) found.push(`${text} ${[x, y, width, height].map(Math.round)}`);
    }
    return found;
  }, within);

for (const language of ['en', 'fa'] as const) {
  test(`the last known balance is there before the program, and stays where it is (${language})`, { tag: '@desktop' }, async ({ page, signIn, prefer }) => {
    await signIn('linh');
    await prefer({ language });
    await visit(page);
    const held = await hold(page, PROGRAM);
    await page.reload({ waitUntil: 'domcontentloaded' });
    await expect(seen(page)).toContainText(language === 'en' ? '€6.25' : '۶٫۲۵');
    await expect(page.locator('#app')).toBeEmpty();
    const pictures = seen(page).locator('.reward img');
    await expect.poll(() => pictures.evaluateAll((all) => all.length && all.every((image) => (image as HTMLImageElement).naturalWidth > 0))).toBeTruthy();
    const before = await words(page, '#shell [data-shell="seen"]');
    expect(before.length).toBeGreaterThan(10);
    held.release();
    await expect(page.locator('#shell')).toHaveCount(0);
    // How old it is stands there too until the server has answered.
    await expect.poll(() => words(page, '#app')).toEqual(before);
  });
}

test('a tap on it is followed before the program is there', async ({ page, signIn }) => {
  await signIn('linh');
  await visit(page);
  const held = await hold(page, PROGRAM);
  await page.reload({ waitUntil: 'domcontentloaded' });
  await seen(page).getByText('Rewards', { exact: true }).click();
  await expect(page).toHaveURL('/rewards');
  held.release();
  await expect(page.getByRole('heading', { name: 'Rewards', level: 1 })).toBeVisible();
});

test('points that were spent meanwhile, another language, or nobody signed in: it is not shown', async ({ page, signIn }) => {
  await signIn('linh');
  await visit(page);
  await page.goto('/use');
  await page.getByRole('button', { name: '€2' }).click();
  await page.getByRole('button', { name: 'Use €2.00 now' }).click();
  await expect(page.getByRole('heading', { name: 'Show this at the till' })).toBeVisible();
  await expect.poll(() => isTaken(page)).toBe(false);
  const held = await hold(page, PROGRAM);
  await page.goto('/', { waitUntil: 'domcontentloaded' });
  await expect(frame(page)).toBeVisible();
  held.release();
  await expect(page.locator('#app').getByText('€4.25', { exact: true })).toBeVisible();
  await expect.poll(() => isTaken(page)).toBe(true);

  await page.evaluate(() => localStorage.setItem('lw.language', 'fa'));
  const again = await hold(page, PROGRAM);
  await page.reload({ waitUntil: 'domcontentloaded' });
  await expect(frame(page)).toBeVisible();
  again.release();
  await expect(page.locator('#app .worth__money')).toContainText('۴٫۲۵');
  await expect.poll(() => isTaken(page)).toBe(true);

  await page.goto('/you');
  await page.getByRole('button', { name: 'خروج از حساب' }).click();
  await expect(page.getByRole('textbox')).toBeVisible();
  expect(await page.evaluate(() => Object.keys(localStorage).filter((name) => name.startsWith('lw.home')))).toEqual([]);
});

test('whoever signs out while it is taken leaves nothing behind', async ({ page, signIn }) => {
  await signIn('linh');
  let release = () => {};
  const released = new Promise<void>((resolve) => (release = resolve));
  await page.route('**/icons.svg', async (route) => {
    if (route.request().resourceType() === 'fetch') await released;
    await route.continue();
  });
  const taking = page.waitForRequest((request) => request.url().endsWith('/icons.svg') && request.resourceType() === 'fetch');
  await page.goto('/');
  await taking;
  await page.getByRole('link', { name: 'You', exact: true }).click();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await expect(page.getByLabel('E-mail address')).toBeVisible();
  const taken = page.waitForResponse((response) => response.url().endsWith('/icons.svg') && response.request().resourceType() === 'fetch');
  release();
  await (await taken).finished();
  await page.waitForTimeout(500);
  expect(await page.evaluate(() => Object.keys(localStorage).filter((name) => name.startsWith('lw.home')))).toEqual([]);
});
