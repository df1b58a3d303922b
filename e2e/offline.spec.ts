import type { Page } from '@playwright/test';
import { waitForNextTry } from './fixtures.js';
import { settle } from './settle.js';
import { makeVoucher, movesOf } from './shop.js';
import { expect, test } from './spoiling.js';

test.use({ expectedErrors: /net::ERR_|TypeError|401 \(Unauthorized\)|429 .*\/me\/events/ });

const note = (page: Page) => page.getByRole('status').filter({ hasText: 'Showing what was known at' });
const balance = (page: Page) => page.getByText('€6.25', { exact: true });

/** The caches in which answers are kept. */
const kept = (page: Page) =>
  page.evaluate(async () => (await caches.keys()).filter((name) => name.startsWith('lw-data-')));

/** The addresses of what is kept. */
const addresses = (page: Page) =>
  page.evaluate(async () => {
    const found: string[] = [];
    for (const name of await caches.keys()) {
      if (!name.startsWith('lw-data-')) continue;
      found.push(...(await (await caches.open(name)).keys()).map(({ url }) => url.slice(location.origin.length)));
    }
    return found;
  });

/** Everything that is kept, as one text. */
const words = (page: Page) =>
  page.evaluate(async () => {
    let found = '';
    for (const name of await caches.keys()) {
      if (!name.startsWith('lw-data-')) continue;
      const cache = await caches.open(name);
      for (const request of await cache.keys()) found += await (await cache.match(request))?.text();
    }
    return found;
  });

/** Signs in as somebody, on the screen. */
async function signInHere(page: Page, member: string): Promise<void> {
  await page.getByLabel('E-mail address').fill(`${member}@brightleaf.example`);
  await page.getByRole('button', { name: 'Send me a code' }).click();
  await page.getByRole('button', { name: 'Use this code' }).click();
}

test('all of home is asked for while the program is still on its way, and only once', async ({ page, signIn, network }) => {
  const parts = ['/api/v1/me/redemptions', '/api/v1/me/status', '/api/v1/programme', '/api/v1/rewards'];
  await signIn('linh');
  const asked: string[] = [];
  const languages = new Set<string>();
  page.on('request', (request) => {
    const { pathname } = new URL(request.url());
    if (!parts.includes(pathname)) return;
    asked.push(pathname);
    languages.add(request.headers()['accept-language'] ?? '');
  });
  const early = Promise.all(parts.map((part) => page.waitForRequest((request) => new URL(request.url()).pathname === part)));
  // The program does not come before all of them were asked for.
  await page.route(/loyalty-wallet-[^/]*\.wasm$/, async (route) => {
    await early;
    await route.continue();
  });
  // The stream of events, once it is open, has the status asked for again.
  network.spoil('dropped', /\/me\/events/);
  await page.goto('/');
  await expect(balance(page)).toBeVisible();
  await settle(page);
  expect(asked.sort()).toEqual(parts);
  expect([...languages]).toEqual(['en']);
});

test('a screen behind the first one asks for its texts once', async ({ page, signIn }) => {
  await signIn('linh');
  const asked: string[] = [];
  page.on('request', (request) => {
    if (request.url().includes('/locales/')) asked.push(new URL(request.url()).pathname);
  });
  await page.goto('/you');
  await settle(page);
  expect(asked.sort()).toEqual(['/locales/en-screens.json', '/locales/en.json']);
});

test('what was known is there before the answer, and gives way to it', async ({ page, signIn, network, till }) => {
  await signIn('linh');
  await page.goto('/');
  await expect(balance(page)).toBeVisible();
  await expect.poll(() => addresses(page)).toContain('/en/api/v1/me/status');
  await makeVoucher(page, { spend: { points: 400 } });
  await till.moveClock('2026-11-21T10:20:00Z');
  const release = network.hold(/\/api\//);
  await page.reload();
  await expect(balance(page)).toBeVisible();
  await expect(page.getByText(/Showing what was known at 11:0\d\./)).toBeVisible();
  release();
  await expect(page.getByText('€4.25', { exact: true })).toBeVisible();
  await expect(page.getByText('Showing what was known')).toHaveCount(0);
});

test('every screen that was seen opens without a connection, and says how old it is', async ({ page, signIn, network, a11y }) => {
  test.setTimeout(120_000);
  await signIn('linh');
  // What each shows, and what is kept for it: a screen that is left at once keeps nothing.
  const screens = [
    ['/', '€6.25', 'me/status'],
    ['/rewards', 'Small coffee', 'rewards?availability=all&sort=recommended&limit=50'],
    ['/rewards/small-coffee', 'Small coffee', 'rewards/small-coffee'],
    ['/vouchers', '€2.50 off', 'me/redemptions?limit=50'],
    ['/activity', 'Returned: Kettle', 'me/ledger?limit=50'],
    ['/you', 'Linh', 'me/profile'],
    ['/tier', 'Gold', 'me/status'],
  ] as const;
  for (const [path, text, answer] of screens) {
    await page.goto(path);
    await expect(page.getByRole('main').getByText(text).first()).toBeVisible();
    await expect.poll(() => addresses(page)).toContain(`/en/api/v1/${answer}`);
  }
  network.spoil('dropped');
  for (const [path, text] of screens) {
    await page.goto(path);
    await expect(note(page)).toContainText(/No connection\s*Showing what was known at 11:0\d\./);
    await expect(page.getByRole('main').getByText(text).first()).toBeVisible();
    await expect(page.getByRole('main').getByRole('alert').filter({ hasText: 'No connection' })).toHaveCount(0);
  }
  await page.goto('/');
  await expect(note(page)).toBeVisible();
  await a11y.audit();
});

test('it comes back by itself once there is a connection', async ({ page, signIn, network }) => {
  await signIn('linh');
  await page.goto('/');
  await expect(balance(page)).toBeVisible();
  await page.getByRole('link', { name: 'Activity', exact: true }).click();
  await expect(page.getByText('Returned: Kettle')).toBeVisible();
  network.spoil('dropped');
  await page.getByRole('link', { name: 'Home' }).click();
  await expect(note(page)).toContainText('No connection');
  network.heal();
  await waitForNextTry(page);
  await expect(note(page)).toHaveCount(0);
  await expect(balance(page)).toBeVisible();
});

test('a wallet that wakes days later shows what there is by now, and asked for nothing while nobody looked', async ({ page, signIn, till }) => {
  await page.addInitScript(() => {
    let state = 'visible';
    Object.defineProperty(document, 'visibilityState', { get: () => state });
    Object.defineProperty(document, 'hidden', { get: () => state === 'hidden' });
    addEventListener('test-turn', (event) => {
      state = (event as CustomEvent<string>).detail;
      document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
    });
  });
  const turn = (state: 'hidden' | 'visible') =>
    page.evaluate((detail) => dispatchEvent(new CustomEvent('test-turn', { detail })), state);
  await signIn('linh');
  const stream = page.waitForEvent('request', (request) => request.url().endsWith('/me/events'));
  await page.goto('/');
  await expect(balance(page)).toBeVisible();
  const closed = page.waitForEvent('requestfailed', (request) => request.url().endsWith('/me/events'));
  await stream;
  await turn('hidden');
  await closed;

  const asked: string[] = [];
  page.on('request', (request) => {
    const { pathname } = new URL(request.url());
    if (pathname.startsWith('/api/')) asked.push(pathname);
  });
  await till.sell('512102314864', 2_000);
  // By then the 85 leaves that waited can be used.
  await till.moveClock('2026-12-03T10:00:00Z');
  await page.clock.setSystemTime('2026-12-03T10:00:00Z');
  await expect(balance(page)).toBeVisible();
  expect(asked).toEqual([]);

  await turn('visible');
  await expect(page.getByText('€6.67', { exact: true })).toBeVisible();
  await expect(page.getByText('1,335 leaves', { exact: true })).toBeVisible();
  await expect(page.getByText('Your last purchase of €20.00 gave you 200 leaves')).toBeVisible();
  await expect(page.getByText('Showing what was known')).toHaveCount(0);
  // What happens from now on is told again.
  await makeVoucher(page, { spend: { points: 400 } });
  await expect(page.getByText('935 leaves', { exact: true })).toBeVisible();
});

test('what moves points is refused at once, never queued, and works once there is a connection', async ({ page, context, signIn }) => {
  await signIn('linh');
  await page.goto('/use');
  await page.getByRole('button', { name: '€2' }).click();
  await expect(page.getByRole('heading', { name: '400 leaves take €2.00 off' })).toBeVisible();
  const asked: string[] = [];
  page.on('request', (request) => request.method() === 'POST' && asked.push(request.url()));
  await context.setOffline(true);
  const use = page.getByRole('button', { name: 'Use €2.00 now' });
  await use.click();
  const refusal = page.getByRole('status').filter({ hasText: 'Nothing was taken' });
  await expect(refusal).toContainText('Check your connection and try again. Your points are safe.');
  expect(asked).toEqual([]);
  expect(await page.evaluate(() => localStorage.getItem('lw.spending'))).toBeNull();
  await context.setOffline(false);
  expect(await movesOf(page)).toEqual([]);
  await use.click();
  await expect(page.getByRole('heading', { name: 'Show this at the till', level: 1 })).toBeVisible();
  expect(await movesOf(page)).toEqual([-400]);

  await page.getByRole('button', { name: 'Undo' }).click();
  await context.setOffline(true);
  await page.getByRole('button', { name: 'Yes, give it back' }).click();
  await expect(page.getByRole('status').filter({ hasText: 'It could not be given back' })).toBeVisible();
  await context.setOffline(false);
  expect(await movesOf(page)).toEqual([-400]);
});

test('a purchase is not claimed without a connection, and nothing typed is lost', async ({ page, context, signIn }) => {
  await signIn('linh');
  await page.goto('/claim');
  const receipt = page.getByLabel('Number on the receipt');
  await receipt.fill('R-5001');
  await page.getByLabel('Which shop').selectOption('Main Street');
  await page.getByLabel(/What you paid/).fill('18.40');
  const send = page.getByRole('button', { name: 'Look for it' });
  const asked: string[] = [];
  page.on('request', (request) => request.method() === 'POST' && asked.push(request.url()));
  await context.setOffline(true);
  await send.click();
  await expect(page.getByRole('alert').filter({ hasText: 'No connection' })).toBeVisible();
  await expect(receipt).toHaveValue('R-5001');
  expect(asked).toEqual([]);
  await context.setOffline(false);
  await send.click();
  await expect(page.getByRole('status').filter({ hasText: 'We keep looking' })).toBeVisible();
});

test('who signs out leaves nothing behind', async ({ page, signIn }) => {
  await signIn('linh');
  await page.goto('/');
  await expect(balance(page)).toBeVisible();
  await expect.poll(() => addresses(page)).toContain('/en/api/v1/me/status');
  await page.getByRole('link', { name: 'You', exact: true }).click();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await expect(page.getByRole('heading', { name: 'Welcome' })).toBeVisible();
  await expect.poll(() => kept(page)).toEqual([]);
  expect(await page.evaluate(() => localStorage.getItem('lw.data'))).toBeNull();
});

test('another tab that signs out closes this one too', async ({ page, context }) => {
  await page.goto('/');
  await signInHere(page, 'linh');
  await expect(balance(page)).toBeVisible();
  const other = await context.newPage();
  await other.goto('/you');
  await other.getByRole('button', { name: 'Sign out' }).click();
  await expect(page.getByRole('heading', { name: 'Welcome' })).toBeVisible();
  await expect(balance(page)).toHaveCount(0);
});

test('a member sees nothing of the one before, even where an answer to that one comes late', async ({ page, network }) => {
  await page.goto('/');
  await signInHere(page, 'linh');
  await expect(balance(page)).toBeVisible();
  await page.getByRole('link', { name: 'You', exact: true }).click();
  await expect(page.getByRole('heading', { name: 'Linh' })).toBeVisible();
  const release = network.hold(/\/me\/ledger/);
  await page.getByRole('link', { name: 'Activity', exact: true }).click();
  await page.getByRole('link', { name: 'You', exact: true }).click();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await expect(page.getByRole('heading', { name: 'Welcome' })).toBeVisible();
  await signInHere(page, 'amir');
  await expect(page.getByText(/Hello Amir/)).toBeVisible();
  release();
  await page.waitForTimeout(1_000);
  await expect.poll(() => addresses(page)).toContain('/en/api/v1/me/status');
  const found = await words(page);
  expect(found).toContain('Amir');
  expect(found).not.toContain('Linh');
  expect(found).not.toContain('Kettle');
  expect(await kept(page)).toHaveLength(1);
  network.spoil('dropped');
  await page.reload();
  await expect(page.getByText(/Hello Amir/)).toBeVisible();
  await expect(page.getByText('Linh')).toHaveCount(0);
});

test('a browser that forgets what was kept, or keeps it broken, loses only time', async ({ page, signIn, network }) => {
  await signIn('linh');
  await page.goto('/');
  await expect(balance(page)).toBeVisible();
  await expect.poll(() => addresses(page)).toContain('/en/api/v1/me/status');
  await page.evaluate(async () => {
    for (const name of await caches.keys()) {
      const cache = await caches.open(name);
      for (const request of await cache.keys()) await cache.put(request, new Response('{"balance":'));
    }
  });
  await page.reload();
  await expect(balance(page)).toBeVisible();
  await page.evaluate(async () => {
    for (const name of await caches.keys()) await caches.delete(name);
  });
  await page.reload();
  await expect(balance(page)).toBeVisible();
  await page.evaluate(async () => {
    for (const name of await caches.keys()) await caches.delete(name);
  });
  network.spoil('dropped');
  await page.reload();
  await expect(page.getByRole('heading', { name: 'No connection' })).toBeVisible();
  network.heal();
  await waitForNextTry(page);
  await expect(balance(page)).toBeVisible();
});

test('at most forty answers are kept, the oldest goes first', async ({ page, signIn }) => {
  await signIn('linh');
  await page.goto('/');
  await expect(balance(page)).toBeVisible();
  await expect.poll(() => addresses(page)).toContain('/en/api/v1/me/status');
  await page.evaluate(async () => {
    const [name] = (await caches.keys()).filter((name) => name.startsWith('lw-data-'));
    const cache = await caches.open(name!);
    for (let n = 0; n < 60; n++) await cache.put(`/en/api/v1/rewards/${n}`, new Response('{}'));
  });
  await page.getByRole('link', { name: 'Rewards', exact: true }).click();
  await expect(page.getByText('Small coffee')).toBeVisible();
  await expect.poll(async () => (await addresses(page)).length).toBeLessThanOrEqual(40);
  await expect.poll(() => addresses(page)).toContain('/en/api/v1/rewards?availability=all&sort=recommended&limit=50');
  expect(await addresses(page)).not.toContain('/en/api/v1/rewards/0');
});
