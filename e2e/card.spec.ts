import { expect, test } from './fixtures.js';
import { identify, scan } from './scanner.js';

test('a card is made, says what a till reads, and prints alone on its page', async ({ page, signIn, request, a11y }) => {
  await signIn('siti');
  await page.goto('/you');
  await page.getByRole('link', { name: 'A printed card' }).click();
  await expect(page.getByRole('heading', { name: 'A printed card', level: 1 })).toBeFocused();
  await expect(page.getByText('Nobody can use your points with it alone.')).toBeVisible();
  await a11y.audit();
  await page.getByRole('button', { name: 'Make my card' }).click();

  await expect(page.getByRole('img', { name: 'QR code of the card' })).toBeVisible();
  await expect(page.getByRole('img', { name: 'Bar code of the card' })).toBeVisible();
  await expect(page.getByText('6093 5172 8146', { exact: true })).toBeVisible();
  const main = page.getByRole('main');
  await expect(main.getByText('Siti', { exact: true })).toBeVisible();
  await a11y.audit();

  const pressed = page.evaluate(() => new Promise((resolve) => (window.print = () => resolve('printed'))));
  await page.getByRole('button', { name: 'Print' }).click();
  expect(await pressed).toBe('printed');

  await page.emulateMedia({ media: 'print' });
  await expect(page.getByRole('img', { name: 'QR code of the card' })).toBeVisible();
  await expect(page.getByRole('button', { name: 'Print' })).toBeHidden();
  await expect(page.getByRole('navigation')).toBeHidden();
  await expect(page.getByRole('heading', { level: 1 })).toBeHidden();
  const { qr, barcode } = await scan(page);
  for (const code of [qr, barcode]) expect(await identify(request, code)).toMatchObject({ name: 'Siti' });
  const size = await page.locator('.plastic').boundingBox();
  const millimetre = 96 / 25.4;
  expect((size?.width ?? 0) / millimetre, 'as wide as a bank card').toBeCloseTo(85.6, 0);
  expect((size?.height ?? 0) / millimetre, 'as high as a bank card').toBeCloseTo(54, 0);
});

test('a new card ends the old one, and a card can be ended', async ({ page, signIn }) => {
  await signIn('reza');
  const held = async () => {
    const answer = await page.request.get('/api/v1/me/cards');
    return (await answer.json()).items.map((card: { card_id: string }) => card.card_id);
  };
  await page.goto('/card');
  await page.getByRole('button', { name: 'Make my card' }).click();
  await expect(page.getByRole('img', { name: 'QR code of the card' })).toBeVisible();
  const [first] = await held();

  await page.reload();
  await expect(page.getByText('Made on 21 November 2026')).toBeVisible();
  await expect(page.getByText('A new card ends the old one.')).toBeVisible();
  await expect(page.getByRole('img', { name: 'QR code of the card' }), 'it is shown once').toHaveCount(0);
  await page.getByRole('button', { name: 'Make a new card' }).click();
  await expect(page.getByRole('img', { name: 'QR code of the card' })).toBeVisible();
  const second = await held();
  expect(second).toHaveLength(1);
  expect(second[0]).not.toBe(first);

  await page.reload();
  await page.getByRole('button', { name: 'End it' }).click();
  await expect(page.getByRole('button', { name: 'Make my card' })).toBeVisible();
  expect(await held()).toEqual([]);
});
