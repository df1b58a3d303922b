import { expect, test, type MemberName } from './fixtures.js';
import { hold } from './hold.js';
import { settle } from './settle.js';
import type { Page } from '@playwright/test';

test('a customer signs in with the code and sees worth and points', async ({ page }) => {
  await page.goto('/');
  await expect(page.getByRole('heading', { name: 'Welcome', level: 1 })).toBeVisible();
  await askForCode(page, 'linh@brightleaf.example');
  await page.getByRole('button', { name: 'Use this code' }).click();
  await expectHomeOf(page, 'Linh');
  await expect(page.getByText('€6.25', { exact: true })).toBeVisible();
  await expect(page.getByText('1,250 leaves', { exact: true })).toBeVisible();
});

test('typing the sixth digit signs in', async ({ page }) => {
  await page.goto('/');
  await askForCode(page, 'siti@brightleaf.example');
  const field = page.getByLabel('Six digits');
  await expect(field).toBeFocused();
  await field.pressSequentially(await sampleCode(page));
  await expectHomeOf(page, 'Siti');
});

test.describe('a wrong code', () => {
  test.use({ expectedErrors: /422 .*\/api\/v1\/auth\/sessions/ });

  test('is said at the field, and nothing is lost', async ({ page }) => {
    await page.goto('/');
    await askForCode(page, 'pavel@brightleaf.example');
    const code = await sampleCode(page);
    const wrong = code === '123456' ? '654321' : '123456';
    const field = page.getByLabel('Six digits');
    await field.fill(wrong);
    await expect(field).toHaveAccessibleDescription('That is not the code that we sent. Please check it.');
    await expect(field).toHaveAttribute('aria-invalid', 'true');
    await expect(field).toHaveValue(wrong);
    await expect(field).toBeFocused();
    await expect(page.getByText('pavel@brightleaf.example')).toBeVisible();

    await field.fill(code);
    await expectHomeOf(page, 'Pavel');
  });

  test('is mended with the keys that one is used to', async ({ page }) => {
    await page.goto('/');
    await askForCode(page, 'pavel@brightleaf.example');
    const code = await sampleCode(page);
    const lastDigit = code.endsWith('0') ? '1' : '0';
    const field = page.getByLabel('Six digits');
    await field.pressSequentially(code.slice(0, 5) + lastDigit);
    await expect(field).toHaveAccessibleDescription('That is not the code that we sent. Please check it.');
    await expect(field).toBeFocused();
    await page.keyboard.press('Backspace');
    await page.keyboard.type(code.slice(5));
    await expectHomeOf(page, 'Pavel');
  });
});

test.describe('after five wrong codes', () => {
  test.use({ expectedErrors: /422 .*\/api\/v1\/auth\/sessions/ });

  test('the code is over, and a new one goes to the same address', async ({ page }) => {
    await page.goto('/');
    await askForCode(page, 'reza@brightleaf.example');
    const code = await sampleCode(page);
    const field = page.getByLabel('Six digits');
    for (let tries = 0; tries < 5; tries++) {
      await field.fill(code === '123456' ? '654321' : '123456');
      await expect(field).toHaveAccessibleDescription('That is not the code that we sent. Please check it.');
      await field.fill('');
    }
    await field.fill(code);
    const address = page.getByLabel('E-mail address');
    await expect(address).toHaveAccessibleDescription('That code has expired. Please ask for a new one.');
    await expect(address).toHaveValue('reza@brightleaf.example');
    await signInByHand(page, 'reza');
    await expectHomeOf(page, 'Reza');
  });
});

test.describe('who tries too often', () => {
  test.use({ expectedErrors: /429 / });

  for (const { wait, says } of [
    { wait: 40, says: 'Please wait one minute, then try again.' },
    { wait: 61, says: 'Please wait 2 minutes, then try again.' },
  ]) {
    test(`and has to wait ${wait} seconds is told how long`, async ({ page }) => {
      const problem = { type: '/problems/too_many_attempts', title: 'Too many', status: 429, code: 'too_many_attempts' };
      await page.route('**/auth/challenges', (route) =>
        route.fulfill({
          status: 429,
          contentType: 'application/problem+json',
          json: { ...problem, detail: '', retry_after_s: wait },
        }),
      );
      await page.goto('/');
      await page.getByLabel('E-mail address').fill('linh@brightleaf.example');
      await page.getByRole('button', { name: 'Send me a code' }).click();
      await expect(page.getByRole('alert').filter({ hasText: 'Too many tries' })).toContainText(says);
    });
  }
});

test('too few digits are said before anything is sent', async ({ page }) => {
  await page.goto('/');
  await askForCode(page, 'pavel@brightleaf.example');
  const field = page.getByLabel('Six digits');
  await field.fill('123');
  await field.press('Enter');
  await expect(field).toHaveAccessibleDescription('The code has six digits.');
  await expect(field).toHaveValue('123');
});

test('what is no address is said at the field', async ({ page }) => {
  await page.goto('/');
  await page.getByLabel('E-mail address').fill('linh');
  await page.getByRole('button', { name: 'Send me a code' }).click();
  const field = page.getByLabel('E-mail address');
  await expect(field).toHaveAccessibleDescription('Please check the address, such as name@example.com.');
  await expect(field).toHaveValue('linh');
  await expect(field).toBeFocused();
});

test('changing the language while signing in loses nothing', async ({ page }) => {
  await page.goto('/');
  await page.getByLabel('E-mail address').fill('linh@brightleaf.example');
  await page.getByRole('radio', { name: 'فارسی' }).check();
  await expect(page.getByRole('heading', { name: 'خوش آمدید' })).toBeVisible();
  await expect(page.getByLabel('نشانی ایمیل')).toHaveValue('linh@brightleaf.example');
});

test('a language that is chosen at once holds on every screen', async ({ page }) => {
  const persian = await hold(page, /\/fa\.json$/);
  const behind = page.waitForResponse('**/locales/en-screens.json');
  await page.addInitScript(() => {
    new MutationObserver((_, observer) => {
      const radio = document.querySelector<HTMLInputElement>('#app input[value=fa]');
      if (!radio) return;
      observer.disconnect();
      radio.click();
    }).observe(document, { childList: true, subtree: true });
  });
  await page.goto('/');
  await (await behind).finished();
  persian.release();
  await page.getByLabel('نشانی ایمیل').fill('linh@brightleaf.example');
  await page.getByRole('button', { name: 'ارسال کد' }).click();
  await page.getByRole('button', { name: 'استفاده از این کد' }).click();
  await page.getByRole('link', { name: 'شما', exact: true }).click();
  await expect(page.getByText('دعوت از یک نفر')).toBeVisible();
});

test('somebody who is no member is asked what to be called, and can try another address', async ({ page }) => {
  await page.goto('/');
  await askForCode(page, 'nobody@brightleaf.example');
  await page.getByRole('button', { name: 'Use this code' }).click();
  await expect(page.getByRole('heading', { name: 'You are new here', level: 1 })).toBeVisible();
  await expect(page.getByText('Nobody is a member with nobody@brightleaf.example yet.')).toBeVisible();
  await page.getByRole('button', { name: 'Use another address' }).click();
  await expect(page.getByLabel('E-mail address')).toHaveValue('nobody@brightleaf.example');
});

test('on a borrowed phone the session is not remembered', async ({ page, context }) => {
  const lasts = async () => {
    const cookies = await context.cookies();
    return cookies.map((cookie) => cookie.expires > 0);
  };
  await page.goto('/');
  const remember = page.getByRole('switch', { name: 'Keep me signed in on this phone' });
  await expect(remember).toBeChecked();
  await remember.uncheck();
  await signInByHand(page, 'siti');
  await expectHomeOf(page, 'Siti');
  expect(await lasts(), 'a cookie that ends with the browser').toEqual([false]);

  await page.getByRole('link', { name: 'You', exact: true }).click();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('switch', { name: 'Keep me signed in on this phone' }).check();
  await signInByHand(page, 'siti');
  await expectHomeOf(page, 'Siti');
  expect(await lasts(), 'a cookie that stays').toEqual([true]);
});

test('signing in leads where one wanted to go', async ({ page }) => {
  await page.goto('/rewards/city-honey');
  await expect(page.getByRole('heading', { name: 'Welcome' })).toBeVisible();
  await signInByHand(page, 'linh');
  await expect(page.getByRole('heading', { name: 'Honey from the roof', level: 1 })).toBeVisible();
  await expect(page).toHaveURL('/rewards/city-honey');
});

test('a session that ended asks who one is, and then goes on', async ({ page, context }) => {
  await page.goto('/');
  await signInByHand(page, 'linh');
  await expectHomeOf(page, 'Linh');
  // Nothing is asked any more that would be told first.
  await settle(page);
  await context.clearCookies();
  await page.getByRole('link', { name: 'Activity' }).click();
  await expect(page.getByRole('heading', { name: 'Welcome' })).toBeVisible();
  await signInByHand(page, 'linh');
  await expect(page.getByText('Returned: Kettle')).toBeVisible();
});

test('after signing out, every screen asks who one is', async ({ page }) => {
  await page.goto('/activity');
  await signInByHand(page, 'linh');
  await expect(page.getByText('Returned: Kettle')).toBeVisible();
  await page.getByRole('link', { name: 'You', exact: true }).click();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await expect(page.getByRole('heading', { name: 'Welcome' })).toBeVisible();

  await page.goBack();
  await expect(page.getByRole('heading', { name: 'Welcome' })).toBeVisible();
  await expect(page.getByText('Kettle')).toHaveCount(0);
  for (const path of ['/', '/rewards', '/rewards/city-honey', '/use', '/activity', '/code', '/you']) {
    await page.goto(path);
    await expect(page.getByRole('heading', { name: 'Welcome' }), path).toBeVisible();
  }
});

test('whoever signs in next sees nothing of who was there before', async ({ page }) => {
  await page.goto('/activity');
  await signInByHand(page, 'linh');
  await expect(page.getByText('Returned: Kettle')).toBeVisible();
  await page.getByRole('link', { name: 'You', exact: true }).click();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await signInByHand(page, 'amir');
  await expectHomeOf(page, 'Amir');
  await page.getByRole('link', { name: 'Activity' }).click();
  await expect(page.getByRole('heading', { name: 'Nothing has happened yet' })).toBeVisible();
  await page.getByRole('link', { name: 'You', exact: true }).click();
  await expect(page.getByRole('heading', { name: 'Amir' })).toBeVisible();
  await expect(page.getByText('Linh')).toHaveCount(0);
});

async function askForCode(page: Page, address: string): Promise<void> {
  await page.getByLabel('E-mail address').fill(address);
  await page.getByRole('button', { name: 'Send me a code' }).click();
  await expect(page.getByRole('heading', { name: 'Your code', level: 1 })).toBeVisible();
}

/** The code that a sample shows in place of a mail. */
async function sampleCode(page: Page): Promise<string> {
  const shown = await page.getByText(/Your code is/).textContent();
  const code = shown?.replace(/\D/g, '') ?? '';
  expect(code).toMatch(/^\d{6}$/);
  return code;
}

async function signInByHand(page: Page, member: MemberName): Promise<void> {
  await askForCode(page, `${member}@brightleaf.example`);
  await page.getByRole('button', { name: 'Use this code' }).click();
}

async function expectHomeOf(page: Page, name: string): Promise<void> {
  await expect(page.getByText(`Hello ${name}, your points are worth`)).toBeVisible();
}
