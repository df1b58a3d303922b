import { expect, test } from './fixtures.js';
import type { Page } from '@playwright/test';

test('from an invitation to the first points: a name, plain terms, and one is in', async ({ page, a11y }) => {
  await page.goto('/join?store=harbour&ref=FRIEND42');
  await expect(page.getByRole('heading', { name: 'Join Brightleaf', level: 1 })).toBeVisible();
  await expect(page.getByText('Joining at Harbour')).toBeVisible();
  await expect(page.getByText('A friend invited you')).toBeVisible();
  await a11y.audit();
  await prove(page, 'mina@join.example');

  const name = page.getByLabel('What should we call you?');
  await expect(name).toBeFocused();
  await expect(page.getByText('Joining at Harbour')).toBeVisible();
  await a11y.audit();
  await name.press('Enter');
  await expect(name).toHaveAccessibleDescription('Please type a name. Any name you like.');
  await name.fill('Mina');
  await name.press('Enter');

  await expect(page.getByRole('heading', { name: 'This is how it works', level: 1 })).toBeFocused();
  await a11y.audit();
  const term = page.getByText('100 leaves are worth €0.50, at every till and on everything we sell.');
  const sizes = await term.evaluate((element) => {
    const size = (of: Element) => getComputedStyle(of).fontSize;
    return [size(element), size(document.body)];
  });
  expect(sizes[0], 'the terms are as large as everything else').toBe(sizes[1]);
  for (const purpose of ['Offers', 'Reminders', 'Questions']) {
    await expect(page.getByRole('switch', { name: purpose })).not.toBeChecked();
  }
  await page.getByRole('switch', { name: 'Reminders' }).check();

  const sent = page.waitForRequest((request) => request.url().endsWith('/members'));
  await page.getByRole('button', { name: 'I agree and join Brightleaf' }).click();
  expect((await sent).postDataJSON()).toMatchObject({
    name: 'Mina',
    language: 'en',
    consents: { offers: [], reminders: ['email'], surveys: [] },
    store: 'harbour',
    referral_code: 'FRIEND42',
    remember: true,
  });
  await expect(page.getByText('Hello Mina, your points are worth')).toBeVisible();
  await expect(page.getByText('Welcome to Brightleaf!')).toBeVisible();
  expect(new URL(page.url()).pathname + new URL(page.url()).search).toBe('/');
  await a11y.audit();

  // The greeting is said once.
  await page.getByRole('link', { name: 'Activity' }).click();
  await page.getByRole('navigation').getByRole('link', { name: 'Home' }).click();
  await expect(page.getByText('Hello Mina, your points are worth')).toBeVisible();
  await expect(page.getByText('Welcome to Brightleaf!')).toHaveCount(0);
});

test('it takes half a minute of a person, counted in keys and taps', async ({ page }) => {
  // 0.28 s a key and 1.1 s a tap (the keystroke-level model's), and 15 s to read the terms.
  let seconds = 15;
  await page.goto('/join');
  const type = async (text: string) => {
    await page.keyboard.type(text);
    seconds += 0.28 * text.length;
  };
  const tap = async (name: string) => {
    await page.getByRole('button', { name }).click();
    seconds += 1.1;
  };
  await page.getByLabel('E-mail address').focus();
  await type('jo@join.example');
  await tap('Send me a code');
  await expect(page.getByLabel('Six digits')).toBeFocused();
  const shown = await page.getByText(/Your code is/).textContent();
  await type(shown?.replace(/\D/g, '').slice(-6) ?? '');
  await expect(page.getByLabel('What should we call you?')).toBeFocused();
  await type('Jo');
  await tap('Go on');
  await tap('I agree and join Brightleaf');
  await expect(page.getByText('Hello Jo, your points are worth')).toBeVisible();
  expect(seconds).toBeLessThan(30);
});

test('until the code is given, a stranger and a member look alike', async ({ page }) => {
  const seen = async (address: string) => {
    await page.goto('/join');
    await page.getByLabel('E-mail address').fill(address);
    await page.getByRole('button', { name: 'Send me a code' }).click();
    await expect(page.getByRole('heading', { name: 'Your code', level: 1 })).toBeVisible();
    const text = await page.getByRole('main').innerText();
    return text.replace(address, '').replace(/\d{3} \d{3}/, '');
  };
  expect(await seen('nobody-else@join.example')).toBe(await seen('olga@brightleaf.example'));
});

test('who is a member already is simply signed in by such a link', async ({ page }) => {
  await page.goto('/join?ref=FRIEND42');
  await prove(page, 'reza@brightleaf.example');
  await expect(page.getByText('Hello Reza, your points are worth')).toBeVisible();
  expect(new URL(page.url()).pathname).toBe('/');
  await page.goto('/join?ref=FRIEND42');
  await expect(page.getByText('Hello Reza, your points are worth')).toBeVisible();
});

test('a store that is none and a change of language lose nothing', async ({ page }) => {
  await page.goto('/join?store=nowhere');
  await expect(page.getByText('Joining at')).toHaveCount(0);
  await prove(page, 'lan@join.example');
  await page.getByLabel('What should we call you?').fill('Lan');
  await page.getByRole('button', { name: 'Go on' }).click();
  await page.getByRole('switch', { name: 'Offers' }).check();
  await page.getByRole('radio', { name: 'فارسی' }).check();
  await expect(page.getByRole('heading', { name: 'روش کار این است' })).toBeVisible();
  await expect(page.getByRole('switch', { name: 'پیشنهادها' })).toBeChecked();
  await page.getByRole('button', { name: 'می‌پذیرم و عضو Brightleaf می‌شوم' }).click();
  await expect(page.getByText('سلام Lan، ارزش امتیازهای شما')).toBeVisible();
});

test.describe('when the server does not answer at the last tap', () => {
  test.use({ expectedErrors: /ERR_FAILED/ });

  test('nothing is lost, and the next tap joins', async ({ page }) => {
    await page.goto('/join');
    await prove(page, 'sam@join.example');
    await page.getByLabel('What should we call you?').fill('Sam');
    await page.getByRole('button', { name: 'Go on' }).click();
    await page.getByRole('switch', { name: 'Questions' }).check();
    await page.route('**/api/v1/members', (route) => route.abort());
    await page.getByRole('button', { name: 'I agree and join Brightleaf' }).click();
    await expect(page.getByRole('alert').filter({ hasText: 'No connection' })).toBeVisible();
    await expect(page.getByRole('switch', { name: 'Questions' })).toBeChecked();
    await page.unroute('**/api/v1/members');
    await page.getByRole('button', { name: 'I agree and join Brightleaf' }).click();
    await expect(page.getByText('Hello Sam, your points are worth')).toBeVisible();
  });
});

async function prove(page: Page, address: string): Promise<void> {
  await page.getByLabel('E-mail address').fill(address);
  await page.getByRole('button', { name: 'Send me a code' }).click();
  await page.getByRole('button', { name: 'Use this code' }).click();
}
