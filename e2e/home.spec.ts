import { expect, test } from './fixtures.js';

test('Linh sees what she has, what comes, what ends, and how far Gold is', async ({ page, signIn }) => {
  await signIn('linh');
  await page.goto('/');
  const main = page.getByRole('main');
  await expect(main.getByText('€6.25', { exact: true })).toBeVisible();
  await expect(main.getByText('1,250 leaves', { exact: true })).toBeVisible();
  await expect(main.getByText('+85 on 2 Dec')).toBeVisible();
  await expect(main.getByText('120 leaves (€0.60) expire on 31 December')).toBeVisible();
  await expect(main.getByRole('heading', { name: '785 to Gold' })).toBeVisible();
  const progress = main.getByRole('progressbar', { name: 'On the way to Gold' });
  await expect(progress).toHaveAttribute('aria-valuenow', '60');
  await expect(progress).toHaveText('60%');
  await expect(main.getByText('Silver is yours until 3 March 2027. You already have what keeps it.')).toBeVisible();
  await expect(main.getByRole('heading', { name: 'You can have these now' })).toBeVisible();
  await expect(main.getByRole('heading', { name: '€1 spent gives 10 leaves. 100 leaves are worth €0.50.' })).toBeVisible();
  await expect(main.getByText('Your last purchase of €8.50 gave you 85 leaves, that is €0.42.')).toBeVisible();
});

test.describe('in America', () => {
  test.use({ locale: 'en-US' });

  test('days are written as one writes them there', async ({ page, signIn }) => {
    await signIn('linh');
    await page.goto('/');
    await expect(page.getByText('+85 on Dec 2')).toBeVisible();
  });
});

test('from home, two taps lead to money off', async ({ page, signIn }) => {
  await signIn('linh');
  await page.goto('/');
  await page.getByRole('link', { name: 'Use it' }).click();
  await expect(page.getByRole('heading', { name: 'Money off at the till', level: 1 })).toBeFocused();
  await expect(page.getByRole('heading', { name: '1,000 leaves take €5.00 off' })).toBeVisible();
  await expect(page.getByText('your points are worth'), 'what home shows is gone with it').toHaveCount(0);
});

test('worth is the largest thing on the page', async ({ page, signIn }) => {
  await signIn('linh');
  await page.goto('/');
  await expect(page.getByText('€6.25', { exact: true })).toBeVisible();
  const largest = () =>
    page.evaluate(() => {
      const size = (of: Element) => parseFloat(getComputedStyle(of).fontSize);
      const hasText = (of: Element) => [...of.childNodes].some((node) => node.nodeType === 3 && node.nodeValue?.trim());
      const all = [...document.querySelectorAll('body *')].filter(hasText);
      const most = Math.max(...all.map(size));
      return all.filter((element) => size(element) === most).map((element) => element.textContent);
    });
  await expect.poll(largest).toEqual(['€6.25']);
});

test('Amir, who joined today, sees the way to his first points', async ({ page, signIn }) => {
  await signIn('amir');
  await page.goto('/');
  const main = page.getByRole('main');
  await expect(main.getByText('€0.00', { exact: true })).toBeVisible();
  await expect(main.getByText('0 leaves', { exact: true })).toBeVisible();
  await expect(main.getByRole('link', { name: 'Use it' })).toHaveCount(0);
  await expect(main.getByRole('heading', { name: '800 to Silver' })).toBeVisible();
  await expect(main.getByRole('heading', { name: 'What you can collect for' })).toBeVisible();
  await expect(main.getByText('50 to go, €5 of shopping')).toBeVisible();
  await expect(main.getByText('Shopping for €10 gives you 100 leaves, that is €0.50.')).toBeVisible();
  await main.getByRole('link', { name: 'See the rewards' }).click();
  await expect(page.getByRole('heading', { name: 'Rewards', level: 1 })).toBeFocused();
});

test('Olga, below zero, sees why and how it comes back', async ({ page, signIn }) => {
  await signIn('olga');
  await page.goto('/');
  const main = page.getByRole('main');
  await expect(main.getByText('Hello Olga, you can use')).toBeVisible();
  await expect(main.getByText('40 leaves below zero')).toBeVisible();
  await expect(
    main.getByText('On 17 November you brought something back: Filter coffee machine, faulty. Its €39.90 had earned'),
  ).toBeVisible();
  await expect(main.getByText('Your next 40 leaves fill it up. That is about €4.00 of shopping.')).toBeVisible();
  await expect(main.getByRole('link', { name: 'Use it' })).toHaveCount(0);
  await main.getByRole('link', { name: 'See how it happened' }).click();
  await expect(page.getByText('Returned: Filter coffee machine, faulty')).toBeVisible();
});

test('Siti, gold, sees that nothing is higher and that she gets more', async ({ page, signIn }) => {
  await signIn('siti');
  await page.goto('/');
  const main = page.getByRole('main');
  await expect(main.getByText('€35.39', { exact: true })).toBeVisible();
  await expect(main.getByText('7,078 leaves', { exact: true })).toBeVisible();
  await expect(main.getByRole('heading', { name: 'Gold, the highest' })).toBeVisible();
  await expect(main.getByText('With Gold, €1 gives you 12 leaves.')).toBeVisible();
});

test('Pavel, who rests, keeps and sees everything and is asked for nothing', async ({ page, signIn }) => {
  await signIn('pavel');
  await page.goto('/');
  const main = page.getByRole('main');
  await expect(main.getByText('€1.17', { exact: true })).toBeVisible();
  await expect(main.getByText('235 leaves', { exact: true })).toBeVisible();
  await expect(main.getByText('Your membership is paused')).toBeVisible();
  await expect(main.getByText('You keep all that you have, and you see all of it.')).toBeVisible();
  await expect(main.getByRole('link', { name: '+49 30 23125 100' })).toHaveAttribute('href', 'tel:+493023125100');
  await expect(main.getByRole('link', { name: 'Use it' })).toHaveCount(0);
});

test('Reza sees who is there for him, and reaches her with a tap', async ({ page, signIn }) => {
  await signIn('reza');
  await page.goto('/');
  const main = page.getByRole('main');
  await expect(main.getByText('€65.52', { exact: true })).toBeVisible();
  await expect(main.getByText('Leonie Brandt, Your contact at Brightleaf')).toBeVisible();
  await expect(main.getByRole('link', { name: '+49 30 23125 115' })).toHaveAttribute('href', 'tel:+493023125115');
  const mail = main.getByRole('link', { name: 'leonie@brightleaf.example' });
  await expect(mail).toHaveAttribute('href', 'mailto:leonie@brightleaf.example');
});

test('the code to say at the counter is large and in groups', async ({ page, signIn }) => {
  await signIn('linh');
  await page.goto('/');
  await page.getByRole('link', { name: 'My code' }).click();
  await expect(page.getByRole('heading', { name: 'My code', level: 1 })).toBeFocused();
  await expect(page.getByText('5121 0231 4864', { exact: true })).toBeVisible();
  const digits = page.getByText(/^\d{4}\s\d{4}$/);
  // They may change at that moment.
  await expect.poll(() => digits.evaluate((element) => parseFloat(getComputedStyle(element).fontSize))).toBeGreaterThan(24);
  await expect(page.getByText('€6.25 · 1,250 leaves')).toBeVisible();
});

test('the way to every screen is at the thumb, or at the side', { tag: '@desktop' }, async ({ page, signIn, isMobile }) => {
  await signIn('linh');
  await page.goto('/');
  const navigation = page.getByRole('navigation', { name: 'Main' });
  await expect(navigation.getByRole('link', { name: 'Home' })).toHaveAttribute('aria-current', 'page');
  const window = page.viewportSize();
  const bar = await navigation.boundingBox();
  if (!window || !bar) throw new Error('there is no window, or no navigation in it');
  if (isMobile) {
    expect(Math.round(bar.y + bar.height)).toBe(window.height);
    expect(bar.width).toBe(window.width);
  } else {
    const screen = await page.getByRole('main').boundingBox();
    expect(bar.x).toBe(0);
    expect(bar.height).toBe(window.height);
    expect(bar.width).toBeLessThan(window.width / 3);
    expect(screen?.y, 'the screen begins beside it, not below').toBeLessThan(100);
  }
});
