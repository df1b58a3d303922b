import type { Locator } from '@playwright/test';
import { askOnlyWhenPressed, expect, test } from './fixtures.js';
import { hold } from './hold.js';
import { settle } from './settle.js';

// What the buttons do is what this is about: nothing is asked again by itself meanwhile (offline.spec.ts has that).
test.beforeEach(({ page }) => askOnlyWhenPressed(page));

test.describe('without an answer', () => {
  test.use({ expectedErrors: /net::ERR_|The texts did not arrive/ });

  test('what was seen stays, with its age, and trying again brings the present', async ({ page, signIn, server }) => {
    await signIn('linh');
    await page.goto('/');
    await expect(page.getByText('€6.25', { exact: true })).toBeVisible();
    await page.getByRole('link', { name: 'Rewards', exact: true }).click();
    await expect(page.getByText('Small coffee')).toBeVisible();
    await server.stop();
    try {
      await page.getByRole('link', { name: 'Home' }).click();
      await expect(page.getByRole('status').filter({ hasText: 'No connection' })).toContainText(
        /Showing what was known at \d{1,2}:\d{2}\./,
      );
      await expect(page.getByText('€6.25', { exact: true })).toBeVisible();
      await page.getByRole('button', { name: 'Try again' }).click();
      await expect(page.getByText('€6.25', { exact: true })).toBeVisible();
    } finally {
      await server.start();
    }
    await page.getByRole('button', { name: 'Try again' }).click();
    await expect(page.getByText('Showing what was known')).toHaveCount(0);
    await expect(page.getByText('€6.25', { exact: true })).toBeVisible();
  });

  test('the first visit says what to do, and trying again opens the wallet', async ({ page, signIn }) => {
    await signIn('linh');
    await page.route('**/api/**', (route) => route.abort());
    await page.goto('/');
    await expect(page.getByRole('heading', { name: 'No connection' })).toBeVisible();
    await expect(page.getByRole('alert')).toContainText('Check your connection and try again. Your points are safe.');
    await page.unroute('**/api/**');
    await page.getByRole('button', { name: 'Try again' }).click();
    await expect(page.getByRole('navigation')).toBeVisible();
    await expect(page.getByText('€6.25', { exact: true })).toBeVisible();
  });

  test('the first visit without its texts says so in words of the page itself', async ({ page }) => {
    await page.route('**/locales/*.json', (route) => route.abort());
    await page.goto('/');
    await expect(page.getByRole('alert')).toContainText('Your wallet did not open');
    await page.unroute('**/locales/*.json');
    await page.getByRole('button', { name: 'Try again' }).click();
    await expect(page.getByRole('heading', { name: 'Welcome' })).toBeVisible();
  });

  for (const { who, title } of [{ who: 'linh', title: 'You' }, { who: null, title: 'Welcome' }] as const) {
    test(`a language that does not arrive leaves the wallet as it is, and says so (${title})`, async ({ page, signIn }) => {
      if (who) await signIn(who);
      await page.goto('/you');
      const answer = await hold(page, /\/locales\/fa\.json$/);
      await expect(page.getByRole('heading', { name: title, level: 1 })).toBeVisible();
      await settle(page);
      const lines = async (part: Locator) => (await part.innerText()).split('\n').filter((line) => line.trim() !== '');
      const main = page.getByRole('main');
      const before = await lines(main);
      const persian = page.getByRole('radio', { name: 'فارسی' });
      await persian.focus();
      await persian.press(' ');
      await expect(persian).toBeChecked();
      answer.refuse();
      const alert = page.getByRole('alert').filter({ hasText: 'No connection' });
      await expect(alert).toBeVisible();
      await expect(page.getByRole('radio', { name: 'English' })).toBeChecked();
      await settle(page);
      const told = await lines(alert);
      expect((await lines(main)).filter((line) => !told.includes(line))).toEqual(before);
      await expect(persian, 'nobody is thrown out of what they were doing').toBeFocused();
      if (!who) return;
      await page.getByRole('link', { name: 'Home', exact: true }).click();
      await page.getByRole('link', { name: 'You', exact: true }).click();
      await expect(persian).toBeVisible();
      await expect(alert, 'it was read').toHaveCount(0);
    });
  }

  for (const path of ['/', '/rewards', '/rewards/small-coffee', '/use', '/activity', '/code', '/you']) {
    test(`${path} says so and offers to try again`, async ({ page, signIn }) => {
      await signIn('linh');
      const isData = /\/api\/v1\/(me|rewards)/;
      await page.route(isData, (route) => route.abort());
      await page.goto(path);
      await expect(page.getByRole('heading', { name: 'No connection' })).toBeVisible();
      await page.unroute(isData);
      // The first one brings all of a screen.
      await page.getByRole('button', { name: 'Try again' }).first().click();
      await expect(page.getByRole('button', { name: 'Try again' })).toHaveCount(0);
      await expect(page.getByRole('heading', { name: 'No connection' })).toHaveCount(0);
      await settle(page);
      await expect(page.getByRole('main')).toContainText('€');
    });
  }

  for (const { path, filter, count, other } of [
    { path: '/rewards', filter: 'Experiences', count: 4, other: 'Small coffee' },
    { path: '/activity', filter: 'Expired', count: 1, other: 'Returned: Kettle' },
  ]) {
    test(`${path} never shows something else under a filter that was not answered`, async ({ page, signIn }) => {
      await signIn('linh');
      await page.goto(path);
      await expect(page.getByText(other)).toBeVisible();
      const isList = /\/api\/v1\/(rewards|me\/ledger)\?/;
      await page.route(isList, (route) => route.abort());
      await page.getByRole('button', { name: filter }).click();
      await expect(page.getByRole('button', { name: 'Try again' })).toBeVisible();
      await expect(page.getByText(other)).toHaveCount(0);
      await page.unroute(isList);
      await page.getByRole('button', { name: 'Try again' }).click();
      await expect(page.getByRole('main').getByRole('listitem')).toHaveCount(count);
    });
  }

  test('a list that cannot grow says so, and grows when asked again', async ({ page, signIn }) => {
    await signIn('siti');
    const isNextPage = /\/me\/ledger\?.*after=/;
    await page.route(isNextPage, (route) => route.abort());
    await page.goto('/activity');
    const entries = page.getByRole('main').getByRole('listitem');
    await expect(entries).toHaveCount(50);
    await page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight));
    await expect(page.getByRole('alert').filter({ hasText: 'No connection' })).toBeVisible();
    await expect(entries).toHaveCount(50);
    await page.unroute(isNextPage);
    await page.getByRole('button', { name: 'Try again' }).click();
    await expect.poll(() => entries.count()).toBeGreaterThanOrEqual(100);
  });

  test('who cannot sign out is told so, and stays signed in', async ({ page, signIn }) => {
    await signIn('linh');
    await page.route('**/auth/sessions/current', (route) => route.abort());
    await page.goto('/you');
    await page.getByRole('button', { name: 'Sign out' }).click();
    await expect(page.getByRole('alert').filter({ hasText: 'No connection' })).toBeVisible();
    await expect(page.getByRole('heading', { name: 'Linh' })).toBeVisible();
  });

  test('an unanswered quote says so, and the next one comes through', async ({ page, signIn }) => {
    await signIn('linh');
    await page.route('**/quotes', (route) => route.abort());
    await page.goto('/use');
    await expect(page.getByRole('status')).toContainText('No connection');
    await page.unroute('**/quotes');
    await page.getByRole('slider').press('ArrowLeft');
    await expect(page.getByRole('status')).toContainText('998 leaves take €4.99 off');
  });

  test('an address typed is not lost when no code can be sent', async ({ page }) => {
    await page.route('**/auth/challenges', (route) => route.abort());
    await page.goto('/');
    await page.getByLabel('E-mail address').fill('linh@brightleaf.example');
    await page.getByRole('button', { name: 'Send me a code' }).click();
    await expect(page.getByRole('alert').filter({ hasText: 'No connection' })).toBeVisible();
    await expect(page.getByLabel('E-mail address')).toHaveValue('linh@brightleaf.example');
  });
});

for (const [status, title] of [
  [200, 'This network wants you to sign in'],
  [502, 'The shop does not answer'],
] as const) {
  test.describe(`a page that answers ${status} in the shop's place`, () => {
    test.use({ expectedErrors: /502 \(Bad Gateway\)/ });

    test('is recognised', async ({ page, signIn }) => {
      await signIn('linh');
      await page.route('**/api/v1/me/status', (route) =>
        route.fulfill({ status, contentType: 'text/html', body: '<!doctype html><title>Hotel</title><h1>Sign in</h1>' }),
      );
      await page.goto('/');
      await expect(page.getByRole('heading', { name: title })).toBeVisible();
      await page.unroute('**/api/v1/me/status');
      await page.getByRole('button', { name: 'Try again' }).click();
      await expect(page.getByText('€6.25', { exact: true })).toBeVisible();
    });
  });
}

test.describe('an address that leads nowhere', () => {
  test('says so and shows the way home', async ({ page, signIn }) => {
    await signIn('linh');
    await page.goto('/rewards/a/b');
    await expect(page.getByRole('heading', { name: 'There is nothing here', level: 2 })).toBeVisible();
    await page.getByRole('main').getByRole('link', { name: 'Home' }).click();
    await expect(page.getByText('€6.25', { exact: true })).toBeVisible();
  });
});

test.describe('when the program does not arrive', () => {
  test.use({ expectedErrors: /net::ERR_|Failed to fetch|TypeError|Failed to load/ });

  test('the page itself says what to do', async ({ page }) => {
    await page.route('**/*.wasm', (route) => route.abort());
    await page.goto('/');
    await expect(page.getByRole('heading', { name: 'Your wallet did not open' })).toBeVisible();
    await page.unroute('**/*.wasm');
    await page.getByRole('button', { name: 'Try again' }).click();
    await expect(page.getByRole('heading', { name: 'Welcome' })).toBeVisible();
  });

  test('the screens behind the first one say so too, and come when asked again', async ({ page, signIn }) => {
    await signIn('linh');
    await page.route('**/*-screens.wasm', (route) => route.abort());
    await page.goto('/');
    await expect(page.getByText('€6.25', { exact: true })).toBeVisible();
    await page.getByRole('link', { name: 'Rewards', exact: true }).click();
    await expect(page.getByRole('heading', { name: 'No connection' })).toBeVisible();
    // Each answer about the member, too, has the file asked for again.
    await settle(page);
    await page.unroute('**/*-screens.wasm');
    await page.getByRole('button', { name: 'Try again' }).click();
    await expect(page.getByRole('heading', { name: 'Rewards', level: 1 })).toBeFocused();
  });
});
