import { expect, test } from './fixtures.js';
import { settle } from './settle.js';
import type { APIRequestContext, Page } from '@playwright/test';

test('from You every part of oneself is a tap away, and back', async ({ page, signIn, a11y }) => {
  test.slow();
  await signIn('linh');
  await page.goto('/you');
  await a11y.audit();
  await expect(page.getByRole('listitem').filter({ hasText: 'Member since' })).toContainText('2 April 2023');
  for (const name of ['Your details', 'Messages', 'Your devices', 'A printed card', 'The programme', 'Leave']) {
    await page.getByRole('link', { name }).click();
    await expect(page.getByRole('heading', { name, level: 1 })).toBeFocused();
    await a11y.audit();
    await page.getByRole('link', { name: 'Back' }).click();
    await expect(page.getByRole('heading', { name: 'You', level: 1 })).toBeFocused();
    // The link that one followed is put back where it was.
    await settle(page);
  }
});

test('in Persian and in the dark axe finds nothing on any of these screens either', async ({ page, signIn, prefer, a11y }) => {
  test.slow();
  await signIn('linh');
  await prefer({ language: 'fa', theme: 'dark' });
  for (const path of ['/you', '/you/profile', '/you/messages', '/you/devices', '/you/leave', '/tier', '/programme', '/card']) {
    await page.goto(path);
    await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
    await expect(page.locator('.skeleton')).toHaveCount(0);
    await a11y.audit();
  }
});

test.describe('a profile', () => {
  test('is changed, and the home screen says the new name', async ({ page }) => {
    await joinAs(page, 'nam@you.example', 'Nam');
    await page.goto('/you/profile');
    const name = page.getByLabel('What should we call you?');
    await expect(name).toHaveValue('Nam');
    await name.fill(' ');
    await page.getByRole('button', { name: 'Save' }).click();
    await expect(name).toHaveAccessibleDescription('Please type a name. Any name you like.');
    await expect(name).toBeFocused();
    await name.fill('Nam Hai');
    await page.getByLabel('Birthday').fill('1990-02-28');
    await page.getByLabel('Phone number').fill('+49 30 23125-018');
    await page.getByRole('radio', { name: 'فارسی' }).check();
    await page.getByRole('button', { name: 'Save' }).click();
    await expect(page.getByRole('status').filter({ hasText: 'Saved' })).toBeVisible();
    expect(await profile(page.request)).toMatchObject({
      name: 'Nam Hai', birthday: '1990-02-28', phone: '+493023125018', language: 'fa',
    });
    await expect(page.getByLabel('Phone number')).toHaveValue('+493023125018');

    await page.getByLabel('Birthday').fill('');
    await page.getByRole('button', { name: 'Save' }).click();
    await expect.poll(async () => (await profile(page.request)).birthday).toBeNull();
    await page.getByRole('navigation').getByRole('link', { name: 'Home' }).click();
    await expect(page.getByText('Hello Nam Hai, your points are worth')).toBeVisible();
  });

  test.describe('that was changed elsewhere meanwhile', () => {
    test.use({ expectedErrors: /412 / });

    test('is shown anew, and what was typed is kept', async ({ page }) => {
      await joinAs(page, 'hoa@you.example', 'Hoa');
      await page.goto('/you/profile');
      await page.getByLabel('What should we call you?').fill('Hoa Mai');
      await elsewhere(page.request, { language: 'fa' });
      await page.getByRole('button', { name: 'Save' }).click();
      await expect(page.getByRole('alert').filter({ hasText: 'This was changed somewhere else' })).toBeVisible();
      await expect(page.getByRole('radio', { name: 'فارسی' })).toBeChecked();
      await expect(page.getByLabel('What should we call you?')).toHaveValue('Hoa Mai');
      await page.getByRole('button', { name: 'Save' }).click();
      await expect(page.getByRole('status').filter({ hasText: 'Saved' })).toBeVisible();
      expect(await profile(page.request)).toMatchObject({ name: 'Hoa Mai', language: 'fa' });
    });
  });
});

test.describe('an address', () => {
  test.use({ expectedErrors: /422 .*\/auth\/|409 .*\/me\/address/ });

  test('is changed by the code that the new one got; one that is taken is refused', async ({ page, a11y }) => {
    await joinAs(page, 'old@you.example', 'Vy');
    await page.goto('/you/profile');
    await page.getByRole('link', { name: 'E-mail address' }).click();
    await expect(page.getByText('We send a note to the old address, so that you know of it.')).toBeVisible();
    await a11y.audit();

    await ask(page, 'linh@brightleaf.example');
    await expect(page.getByLabel('Six digits')).toHaveAccessibleDescription(
      'Somebody is a member with this address already.',
    );
    await page.getByRole('button', { name: 'Use another address' }).click();
    await ask(page, 'new@you.example');
    await expect(page.getByRole('status').filter({ hasText: 'Your address is changed' })).toBeVisible();
    await expect(page.getByText('new@you.example')).toBeVisible();
    expect(await profile(page.request)).toMatchObject({ address: 'new@you.example' });
  });
});

test.describe('what one is written to about', () => {
  test('is off, is saved with the tap, and can be taken back', async ({ page }) => {
    await joinAs(page, 'bao@you.example', 'Bao');
    await page.goto('/you/messages');
    const offers = page.getByRole('switch', { name: 'Offers' });
    await expect(offers).not.toBeChecked();
    await offers.check();
    await expect(page.getByRole('status')).toContainText('On: Offers, by e-mail');
    await expect.poll(() => consents(page.request)).toEqual({ offers: ['email'], reminders: [], surveys: [] });
    await page.getByRole('button', { name: 'Undo' }).click();
    await expect(offers).not.toBeChecked();
    await expect(page.getByRole('status')).toContainText('Off: Offers, by e-mail');
    await expect.poll(() => consents(page.request)).toEqual({ offers: [], reminders: [], surveys: [] });

    // Quick taps, and a change elsewhere in the middle of them: the last word of each holds.
    await elsewhere(page.request, { name: 'Bao Anh' });
    await page.getByRole('switch', { name: 'Reminders' }).check();
    await page.getByRole('switch', { name: 'Questions' }).check();
    await page.getByRole('switch', { name: 'Reminders' }).uncheck();
    await expect.poll(() => consents(page.request)).toEqual({ offers: [], reminders: [], surveys: ['email'] });
    expect(await profile(page.request)).toMatchObject({ name: 'Bao Anh' });
  });

  test.use({ expectedErrors: /412 |ERR_FAILED/ });

  test('stays as it was when it could not be saved', async ({ page }) => {
    await joinAs(page, 'tam@you.example', 'Tam');
    await page.goto('/you/messages');
    const offers = page.getByRole('switch', { name: 'Offers' });
    await expect(offers).toBeVisible();
    await page.route('**/api/v1/me/profile', (route) => route.abort());
    await offers.click();
    await expect(page.getByRole('status').filter({ hasText: 'No connection' })).toBeVisible();
    await expect(offers).not.toBeChecked();
  });
});

test('a session elsewhere is seen and ended', async ({ page, browser, server }) => {
  await joinAs(page, 'kim@you.example', 'Kim');
  const other = await browser.newContext({ userAgent: 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0' });
  await signInElsewhere(other.request, server.url, 'kim@you.example');
  await page.goto('/you/devices');
  const rows = page.getByRole('listitem').filter({ hasText: 'Last used on' });
  await expect(rows).toHaveCount(2);
  await expect(rows.filter({ hasText: 'This one' })).toHaveCount(1);
  await expect(rows.filter({ hasText: 'This one' }).getByRole('button')).toHaveCount(0);
  await rows.filter({ hasText: 'Firefox' }).getByRole('button', { name: 'Sign out' }).click();
  await expect(rows).toHaveCount(1);
  await expect(page.getByText('You are signed in here and nowhere else.')).toBeVisible();
  expect((await other.request.get(`${server.url}/api/v1/me/status`)).status()).toBe(401);

  await signInElsewhere(other.request, server.url, 'kim@you.example');
  await page.reload();
  await page.getByRole('button', { name: 'Sign out everywhere else' }).click();
  await expect(rows).toHaveCount(1);
  expect((await other.request.get(`${server.url}/api/v1/me/status`)).status()).toBe(401);
  await other.close();
});

test('everything that is held comes as a file', async ({ page, signIn }) => {
  await signIn('linh');
  await page.goto('/you');
  const download = page.waitForEvent('download');
  await page.getByRole('link', { name: 'Download everything' }).click();
  const file = await download;
  expect(file.suggestedFilename()).toMatch(/\.json$/);
  const text = await (await file.createReadStream()).toArray();
  expect(JSON.parse(Buffer.concat(text).toString()).profile.address).toBe('linh@brightleaf.example');
});

test('the link to pass on leads somebody else to joining', async ({ page, context, signIn }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await context.addInitScript(() => Object.defineProperty(navigator, 'share', { value: undefined }));
  await signIn('linh');
  await page.goto('/you');
  await page.getByRole('button', { name: 'Pass it on' }).click();
  await expect(page.getByRole('status').filter({ hasText: 'The link is copied.' })).toBeVisible();
  const link = await page.evaluate(() => navigator.clipboard.readText());
  const { referral_code: code } = await profile(page.request);
  expect(link).toBe(`${new URL(page.url()).origin}/join?ref=${code}`);
  await context.clearCookies();
  await page.goto(link);
  await expect(page.getByText('A friend invited you')).toBeVisible();
});

test('leaving says first what it means, and then nothing of oneself is left', async ({ page, a11y }) => {
  await joinAs(page, 'gone@you.example', 'Thu');
  await page.goto('/you');
  await page.getByRole('link', { name: 'Leave' }).click();
  await expect(page.getByText('You have no points that would be lost.')).toBeVisible();
  await expect(page.getByText('This cannot be undone.')).toBeVisible();
  await page.getByRole('link', { name: 'I would rather stay' }).click();
  await expect(page.getByRole('heading', { name: 'You', level: 1 })).toBeFocused();
  await page.getByRole('link', { name: 'Leave' }).click();
  await page.getByRole('button', { name: 'Send me the code to leave' }).click();
  await expect(page.getByText('With this code everything is erased.')).toBeVisible();
  await a11y.audit();
  await page.getByRole('button', { name: 'Use this code' }).click();
  await expect(page.getByRole('heading', { name: 'You have left', level: 1 })).toBeFocused();
  await expect(page.getByText('Everything personal is erased.')).toBeVisible();
  await a11y.audit();

  await page.getByRole('button', { name: 'To the start' }).click();
  await ask(page, 'gone@you.example', 'E-mail address');
  await expect(page.getByRole('heading', { name: 'You are new here', level: 1 })).toBeVisible();
});

test('who has points is told what they would lose', async ({ page, signIn }) => {
  await signIn('linh');
  await page.goto('/you/leave');
  await expect(page.getByText('Your 1,250 leaves end. Today they are worth €6.25.')).toBeVisible();
  await expect(page.getByText('Your 85 leaves that still wait end too.')).toBeVisible();
  await expect(page.getByRole('link', { name: 'Use your points first' })).toHaveAttribute('href', '/rewards');
});

/** A member of one's own, so that no other test meets what is changed here. */
async function joinAs(page: Page, address: string, name: string): Promise<void> {
  await page.goto('/join');
  await ask(page, address, 'E-mail address');
  await page.getByLabel('What should we call you?').fill(name);
  await page.getByRole('button', { name: 'Go on' }).click();
  await page.getByRole('button', { name: 'I agree and join' }).click();
  await expect(page.getByText(`Hello ${name}, your points are worth`)).toBeVisible();
}

async function ask(page: Page, address: string, label = 'New e-mail address'): Promise<void> {
  await page.getByLabel(label).fill(address);
  await page.getByRole('button', { name: 'Send me a code' }).click();
  await page.getByRole('button', { name: 'Use this code' }).click();
}

async function profile(request: APIRequestContext) {
  return (await request.get('/api/v1/me/profile')).json();
}

async function consents(request: APIRequestContext) {
  return (await profile(request)).consents;
}

/** What another phone of the same member does. */
async function elsewhere(request: APIRequestContext, change: object): Promise<void> {
  const held = await request.get('/api/v1/me/profile');
  const headers = { 'if-match': held.headers().etag ?? '', 'sec-fetch-site': 'same-origin' };
  const answer = await request.patch('/api/v1/me/profile', { data: change, headers });
  expect(answer.status(), await answer.text()).toBe(200);
}

async function signInElsewhere(request: APIRequestContext, url: string, address: string): Promise<void> {
  const headers = { origin: url };
  const challenge = await (await request.post(`${url}/api/v1/auth/challenges`, { data: { address }, headers })).json();
  const data = { challenge_id: challenge.challenge_id, code: challenge.demo_code };
  const answer = await request.post(`${url}/api/v1/auth/sessions`, { data, headers });
  expect(answer.status(), await answer.text()).toBe(201);
}
