import { expect, test } from './fixtures.js';

test('Persian turns the page to the right with Persian digits, and stays', async ({ page, signIn }) => {
  await signIn('linh');
  await page.goto('/you');
  const persian = page.getByRole('radio', { name: 'فارسی' });
  await persian.focus();
  await persian.press(' ');
  await expect(page.getByRole('heading', { name: 'شما', level: 1 })).toBeVisible();
  await expect(persian, 'whoever chose goes on where they were').toBeFocused();
  await expect(page.locator('html')).toHaveAttribute('dir', 'rtl');
  await expect(page.locator('html')).toHaveAttribute('lang', 'fa');
  await page.getByRole('link', { name: 'خانه' }).click();
  await expect(page.getByText('۱٬۲۵۰ برگ', { exact: true })).toBeVisible();
  await expect(page.getByText('سلام Linh، ارزش امتیازهای شما')).toBeVisible();

  await page.reload();
  await expect(page.getByText('۱٬۲۵۰ برگ', { exact: true })).toBeVisible();
  await expect(page.locator('html')).toHaveAttribute('dir', 'rtl');
  const text = await page.getByRole('main').innerText();
  expect(text, 'no Western digit is left over').not.toMatch(/[0-9]/);
});

test('Persian digits are understood where they are typed', async ({ page, signIn, prefer }) => {
  await signIn('linh');
  await prefer({ language: 'fa' });
  await page.goto('/use');
  await page.getByLabel('به EUR').fill('۲٫۵');
  await expect(page.getByRole('slider')).toHaveValue('250');
});

test('the dark theme stays after a reload, whatever the system has', async ({ page, signIn }) => {
  await signIn('linh');
  await page.goto('/you');
  const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await paper();
  await page.getByRole('radio', { name: 'Dark' }).check();
  await expect.poll(paper).not.toBe(light);
  const dark = await paper();
  await page.reload();
  await expect(page.getByRole('radio', { name: 'Dark' })).toBeChecked();
  expect(await paper()).toBe(dark);
  await page.getByRole('radio', { name: 'Automatic' }).check();
  await expect.poll(paper).toBe(light);
});

test('the text grows as far as one likes, at once and before the first paint', async ({ page, signIn }) => {
  await signIn('linh');
  await page.goto('/you');
  const size = () => page.evaluate(() => parseFloat(getComputedStyle(document.body).fontSize));
  const normal = await size();
  await page.getByRole('radio', { name: 'Largest' }).check();
  await expect.poll(size).toBeCloseTo(1.5 * normal, 1);
  await page.reload({ waitUntil: 'commit' });
  await expect(page.locator('html')).toHaveAttribute('data-text-size', '150');
  await expect(page.getByRole('radio', { name: 'Largest' })).toBeChecked();
  const widths = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  expect(widths[0], 'nothing is pushed out of the screen').toBeLessThanOrEqual(widths[1] ?? 0);
  await page.getByRole('radio', { name: 'Normal' }).check();
  await expect.poll(size).toBe(normal);
});
