import { expect, test } from './fixtures.js';

test('the slider moves by keyboard, and everything follows', async ({ page, signIn }) => {
  await signIn('linh');
  await page.goto('/use');
  const slider = page.getByRole('slider', { name: 'How much to take off' });
  const points = page.getByLabel('In leaves');
  const money = page.getByLabel('In EUR');
  const kept = page.getByRole('listitem').filter({ hasText: 'You keep' });
  await expect(slider).toHaveAttribute('aria-valuetext', /^€5\.00, 1,000\sleaves$/);
  await expect(kept).toContainText('250 leaves · €1.25');

  await slider.press('ArrowRight');
  await expect(points).toHaveValue('1,002');
  await expect(money).toHaveValue('5.01');
  await expect(kept).toContainText('248 leaves · €1.24');
  await slider.press('Home');
  await expect(points).toHaveValue('50');
  await expect(money).toHaveValue('0.25');
  await slider.press('End');
  await expect(points).toHaveValue('1,250');
  await expect(money).toHaveValue('6.25');
  await expect(kept).toContainText('0 leaves · €0.00');
});

test('points or money, whichever is typed, the other follows', async ({ page, signIn }) => {
  await signIn('linh');
  await page.goto('/use');
  const slider = page.getByRole('slider');
  const points = page.getByLabel('In leaves');
  const money = page.getByLabel('In EUR');
  await points.fill('300');
  await expect(money).toHaveValue('1.50');
  await expect(slider).toHaveValue('150');
  await money.fill('2,5');
  await expect(points).toHaveValue('500');
  await expect(slider).toHaveValue('250');
  await page.getByRole('button', { name: 'All €6.25' }).click();
  await expect(points).toHaveValue('1,250');
});

test('once the hand rests, the shop confirms with every condition', async ({ page, signIn }) => {
  await signIn('linh');
  await page.goto('/use');
  await page.getByLabel('In leaves').fill('400');
  await expect(page.getByRole('status').filter({ hasText: '400 leaves take €2.00 off' })).toBeAttached();
  const said = page.getByRole('main');
  await expect(said.getByRole('heading', { name: '400 leaves take €2.00 off' })).toBeVisible();
  for (const condition of [
    'It works once, at any Brightleaf till.',
    'If your shopping costs less, only that much is used and the rest comes back at once.',
    'You can undo it any time before the till scans it, and your leaves come straight back.',
    'It comes off what you pay and cannot be paid out in cash.',
  ]) {
    const text = said.getByText(condition);
    await expect(text).toBeVisible();
    const [own, body] = await text.evaluate((element) =>
      [element, document.body].map((of) => getComputedStyle(of).fontSize),
    );
    expect(own).toBe(body);
  }
});

test('one question is asked for a hand that moved many times', async ({ page, signIn }) => {
  await signIn('linh');
  await page.goto('/use');
  await expect(page.getByRole('heading', { name: '1,000 leaves take €5.00 off' })).toBeVisible();
  let asked = 0;
  page.on('request', (request) => {
    if (request.url().endsWith('/quotes')) asked += 1;
  });
  const slider = page.getByRole('slider');
  for (let i = 0; i < 10; i++) await slider.press('ArrowLeft');
  await expect(page.getByRole('heading', { name: '980 leaves take €4.90 off' })).toBeVisible();
  expect(asked).toBeLessThanOrEqual(2);
});

const wrong: { field: string; typed: string; says: string }[] = [
  { field: 'In leaves', typed: '9999', says: 'You have 1,250 leaves. That is the most.' },
  { field: 'In leaves', typed: '49', says: 'The least is €0.25, that is 50 leaves.' },
  { field: 'In leaves', typed: 'a lot', says: 'Please type a whole number.' },
  { field: 'In leaves', typed: '', says: 'Please type a whole number.' },
  { field: 'In leaves', typed: '99999999999999999999999', says: 'Please type a whole number.' },
  { field: 'In EUR', typed: '6.26', says: 'You have €6.25. That is the most.' },
  { field: 'In EUR', typed: '0', says: 'The least is €0.25, that is 50 leaves.' },
  { field: 'In EUR', typed: '-2', says: 'Please type an amount, such as 2.50.' },
  { field: 'In EUR', typed: 'two fifty', says: 'Please type an amount, such as 2.50.' },
];

test('what cannot be used is said, and stays as typed', async ({ page, signIn }) => {
  await signIn('linh');
  await page.goto('/use');
  for (const { field, typed, says } of wrong) {
    const input = page.getByLabel(field);
    await input.fill(typed);
    await expect(input, typed).toHaveAccessibleDescription(says);
    await input.blur();
    await expect(input).toHaveValue(typed);
    await expect(input).toHaveAttribute('aria-invalid', 'true');
    await expect(page.getByRole('slider')).toHaveValue('500');
    await input.fill(field === 'In leaves' ? '1000' : '5');
    await expect(input).toHaveAttribute('aria-invalid', 'false');
  }
});

test('Olga is told that there is nothing to use yet', async ({ page, signIn }) => {
  await signIn('olga');
  await page.goto('/use');
  await expect(page.getByRole('heading', { name: 'Not enough to use yet' })).toBeVisible();
  await expect(page.getByText('You have -40 leaves. From 50 leaves on, any amount can be used.')).toBeVisible();
  await expect(page.getByRole('slider')).toHaveCount(0);
  await expect(page.getByRole('link', { name: 'All rewards' })).toBeVisible();
});

test('Pavel is told that his membership rests', async ({ page, signIn }) => {
  await signIn('pavel');
  await page.goto('/use');
  await expect(page.getByText('Your membership is paused')).toBeVisible();
  await expect(page.getByRole('link', { name: '+49 30 23125 100' })).toBeVisible();
  await expect(page.getByRole('slider')).toHaveCount(0);
});
