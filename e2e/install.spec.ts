import { createHash } from 'node:crypto';
import { cp, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page } from '@playwright/test';
import { askOnlyWhenPressed } from './fixtures.js';
import { expect, makeVoucher, test as base } from './shop.js';
import { Server } from './server.js';
import { settle } from './settle.js';

const BUILT = process.env.LOYALTY_WALLET_DIR ?? fileURLToPath(new URL('../dist', import.meta.url));

const LINH = '512102314864';

/** What the browser says when there is no server, or when the stream is asked for of one that is just stopping. */
const NO_SERVER = /503 \(Service Unavailable\).*\/me\/events|ERR_CONNECTION_REFUSED|ERR_INTERNET_DISCONNECTED|ERR_FAILED/;

/** A shop that serves a wallet of its own, in which a test can put another version. */
const test = base.extend<{ wallet: Wallet }>({
  wallet: async ({}, use) => {
    const folder = await mkdtemp(join(tmpdir(), 'loyalty-wallet-files-'));
    await cp(BUILT, folder, { recursive: true });
    await use(new Wallet(folder));
    await rm(folder, { recursive: true, force: true });
  },

  shop: async ({ sample, wallet, now }, use) => {
    const folder = await mkdtemp(join(tmpdir(), 'loyalty-shop-'));
    await cp(sample, folder, { recursive: true });
    const shop = new Server(join(folder, 'loyalty.db'), now, undefined, wallet.folder);
    try {
      await shop.start();
      await use(shop);
    } finally {
      await shop.stop();
      await rm(folder, { recursive: true, force: true });
    }
  },

  expectedErrors: NO_SERVER,
});

/** The files of a built wallet. */
class Wallet {
  constructor(readonly folder: string) {}

  /** Puts a version there whose page says so. */
  async deploy(version: string): Promise<void> {
    await this.#change('index.html', (page) => page.replace(/<html( data-test="\d+")?/, `<html data-test="${version}"`));
    const page = await readFile(join(this.folder, 'index.html'));
    const hash = createHash('sha256').update(page).digest('hex');
    await this.#change('sw.js', (worker) =>
      worker.replace(/("\/": )"\w+"/, `$1"${hash}"`).replace(/(VERSION = )"\w+"/, `$1"test-${version}"`),
    );
  }

  /** Takes a file away, as while a version is only half copied to its place. */
  async take(name: string): Promise<() => Promise<void>> {
    const [here, away] = [join(this.folder, name), join(this.folder, `.${name}`)];
    for (const packed of ['.br', '.gz']) await rm(here + packed, { force: true });
    await rename(here, away);
    return () => rename(away, here);
  }

  /** What the files of the program are called by. */
  async program(): Promise<string> {
    const page = await readFile(join(this.folder, 'index.html'), 'utf8');
    return /loyalty-wallet-[0-9a-f]+/.exec(page)?.[0] ?? '';
  }

  /** Puts a version there whose program is called by another name, and nothing of the one before. */
  async rename(): Promise<void> {
    const [from, to] = [await this.program(), 'loyalty-wallet-0123456789abcdef'];
    for (const name of await readdir(this.folder)) {
      if (!name.startsWith(from)) continue;
      if (/\.(br|gz)$/.test(name)) await rm(join(this.folder, name));
      else await rename(join(this.folder, name), join(this.folder, name.replace(from, to)));
    }
    await this.#change(`${to}.js`, (script) => script.replaceAll(from, to));
    await this.#change('index.html', (page) => page.replaceAll(from, to));
  }

  async #change(name: string, change: (text: string) => string): Promise<void> {
    const file = join(this.folder, name);
    const text = await readFile(file, 'utf8');
    const changed = change(text);
    expect(changed, `${name} is another one`).not.toBe(text);
    await writeFile(file, changed);
    // What was compressed beforehand is of the version before.
    for (const packed of ['.br', '.gz']) await rm(file + packed, { force: true });
  }
}

test.describe('the worker', () => {
  test.use({ serviceWorkers: 'allow' });

  test('opens the wallet without a server, whatever the address, with every screen', async ({ page, signIn, shop }) => {
    test.slow();
    await signIn('linh');
    await page.goto('/');
    await expect(page.getByText('Hello Linh, your points are worth')).toBeVisible();
    await inCharge(page);
    await page.reload();
    await expect(page.getByText('Hello Linh, your points are worth')).toBeVisible();

    await shop.stop();
    await page.reload();
    await expect(page.getByText('Hello Linh, your points are worth')).toBeVisible();
    await expect(page.getByText('€6.25', { exact: true })).toBeVisible();
    // A screen of the second file, at an address that was never asked for.
    await page.goto('/you');
    await expect(page.getByRole('heading', { name: 'You', level: 1 })).toBeVisible();
    await page.goto('/no/such/address');
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('There is nothing here');
  });

  test('goes by the clock of the device, not by the age of its files, where there is no server to ask', async ({ page, context, signIn, shop }) => {
    await signIn('linh');
    await page.goto('/');
    await expect(page.getByText('€6.25', { exact: true })).toBeVisible();
    await inCharge(page);
    await expect.poll(() => cached(page, 'lw-data-')).toContain('/en/api/v1/me/status');
    await shop.stop();
    await context.clock.setSystemTime(new Date('2026-11-24T10:00:00Z'));
    await page.reload();
    await expect(page.getByText(/Showing what was known on 21 Nov at 11:0\d\./)).toBeVisible();
    expect(await page.evaluate(() => localStorage.getItem('lw.clock-offset'))).toBeNull();
  });

  test('opens signing in without a server', async ({ page, shop }) => {
    await page.goto('/');
    await expect(page.getByRole('heading', { name: 'Welcome' })).toBeVisible();
    await inCharge(page);
    await page.reload();
    await expect(page.getByRole('heading', { name: 'Welcome' })).toBeVisible();
    await shop.stop();
    await page.reload();
    await expect(page.locator('#shell')).toHaveCount(0);
    await expect(page.locator('#app')).not.toBeEmpty();
    await expect(page.locator('#load-failed')).toBeHidden();
  });

  test('answers for the files, and never for the API', async ({ page, signIn, shop }) => {
    await signIn('linh');
    await page.goto('/');
    await inCharge(page);
    const byWorker = new Map<string, boolean>();
    page.on('response', (response) => byWorker.set(new URL(response.url()).pathname, response.fromServiceWorker()));
    await page.goto('/rewards');
    await expect(page.getByRole('heading', { name: 'Rewards', level: 1 })).toBeVisible();
    await expect.poll(() => byWorker.get('/api/v1/me/status')).toBe(false);
    for (const path of ['/rewards', '/boot.js', '/icons.svg', '/locales/en.json', '/locales/en-screens.json']) {
      expect(byWorker.get(path), path).toBe(true);
    }
    const apis = [...byWorker].filter(([path]) => path.startsWith('/api/'));
    expect(apis.filter(([, isByWorker]) => isByWorker)).toEqual([]);

    await shop.stop();
    for (const path of ['/api/v1/programme', '/manifest.webmanifest', '/healthz']) {
      expect(await page.evaluate((path) => fetch(path).then(String, () => 'no answer'), path), path).toBe('no answer');
    }
    const kept = await cached(page, 'lw-shell-');
    expect(kept.filter((path) => path.startsWith('/api') || path.includes('manifest'))).toEqual([]);
  });

  test('a new version waits until somebody agrees, on home or You and never beside a voucher', async ({ page, signIn, wallet, a11y }) => {
    test.slow();
    await signIn('linh');
    await page.goto('/');
    await inCharge(page);
    const voucher = await makeVoucher(page, { spend: { points: 1000 } });
    await page.goto(`/vouchers/${voucher.id}`);
    await expect(page.getByRole('heading', { name: 'Show this at the till' })).toBeVisible();
    const before = await shells(page);

    await wallet.deploy('2');
    await lookForUpdate(page);
    const bar = page.getByRole('status').filter({ hasText: 'A new version is ready.' });
    await expect.poll(() => page.evaluate(() => document.documentElement.dataset['update'])).toBe('ready');
    await expect(bar).toHaveCount(0);
    // It does not come by itself either.
    await page.reload();
    await expect(page.getByRole('heading', { name: 'Show this at the till' })).toBeVisible();
    expect(await version(page)).toBeNull();
    for (const path of ['/use', '/code', '/rewards']) {
      await page.goto(path);
      await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
      await expect.poll(() => page.evaluate(() => document.documentElement.dataset['update']), path).toBe('ready');
      await expect(bar, path).toHaveCount(0);
    }
    await page.getByRole('link', { name: 'You', exact: true }).click();
    await expect(bar).toBeVisible();
    await page.getByRole('link', { name: 'Home', exact: true }).click();
    await expect(bar).toBeVisible();
    await a11y.audit();

    await bar.getByRole('button', { name: 'Update now' }).click();
    await expect.poll(() => version(page)).toBe('2');
    await expect(page.getByText('Hello Linh, your points are worth')).toBeVisible();
    await expect(bar).toHaveCount(0);
    await expect.poll(() => shells(page)).toEqual(['lw-shell-test-2']);
    expect(before).not.toContain('lw-shell-test-2');
    expect(await cached(page, 'lw-data-'), 'what is remembered of the member stays').not.toEqual([]);
  });

  test('a new version takes over even where the one before is busy for the page', async ({ page, context, signIn, wallet }) => {
    await signIn('linh');
    await page.goto('/');
    await inCharge(page);
    let asked = () => {};
    const isAsked = new Promise<void>((resolve) => (asked = resolve));
    // Nobody ever answers the worker.
    await context.route('**/media/endless.svg', () => asked());
    await page.evaluate(() => void fetch('/media/endless.svg').catch(() => {}));
    await isAsked;
    await wallet.deploy('2');
    await lookForUpdate(page);
    await page.getByRole('button', { name: 'Update now' }).click();
    await expect.poll(() => version(page)).toBe('2');
    await expect.poll(() => shells(page)).toEqual(['lw-shell-test-2']);
  });

  test('a version that arrived by half leaves the one before alone, and comes when it is whole', async ({ page, context, signIn, wallet, shop }) => {
    test.slow();
    await signIn('linh');
    await page.goto('/');
    await inCharge(page);
    await wallet.deploy('2');
    const putBack = await wallet.take('index.html');
    await page.evaluate(async () => {
      const registration = await navigator.serviceWorker.ready;
      const failed = new Promise<void>((resolve) => {
        registration.addEventListener('updatefound', () => {
          const worker = registration.installing;
          worker?.addEventListener('statechange', () => worker.state === 'redundant' && resolve());
        });
      });
      await registration.update().catch(() => undefined);
      await failed;
    });
    expect(await page.evaluate(() => document.documentElement.dataset['update'])).toBeUndefined();
    await shop.stop();
    await page.reload();
    await expect(page.getByText('Hello Linh, your points are worth')).toBeVisible();
    expect(await version(page)).toBeNull();

    await putBack();
    await shop.start();
    // Whoever comes back to an open wallet after an hour is told of a new version, too.
    await context.clock.setSystemTime(new Date('2026-11-21T11:30:00Z'));
    await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
    await page.getByRole('button', { name: 'Update now' }).click();
    await expect.poll(() => version(page)).toBe('2');
    await expect.poll(() => shells(page)).toEqual(['lw-shell-test-2']);
  });

  test('a file that the browser threw away is got again', async ({ page, signIn, shop }) => {
    await signIn('linh');
    await page.goto('/');
    await inCharge(page);
    const whole = await cached(page, 'lw-shell-');
    await page.evaluate(async () => {
      for (const name of await caches.keys()) {
        if (!name.startsWith('lw-shell-')) continue;
        const cache = await caches.open(name);
        for (const request of await cache.keys()) if (/icons\.svg|boot\.js|screens\.wasm/.test(request.url)) await cache.delete(request);
      }
    });
    expect((await cached(page, 'lw-shell-')).length).toBe(whole.length - 3);
    await page.goto('/you');
    await expect(page.getByRole('heading', { name: 'You', level: 1 })).toBeVisible();
    await expect.poll(async () => (await cached(page, 'lw-shell-')).toSorted()).toEqual(whole.toSorted());
    await shop.stop();
    await page.reload();
    await expect(page.getByRole('heading', { name: 'You', level: 1 })).toBeVisible();
  });

  test('of pictures the last sixty are kept, and nothing that is none', async ({ page, signIn }) => {
    await signIn('linh');
    await page.goto('/rewards');
    await inCharge(page);
    const picture = await page.locator('img[src^="/media/"]').first().getAttribute('src');
    const ask = (paths: string[]) =>
      page.evaluate(async (paths) => {
        const answers = [];
        for (const path of paths) answers.push((await fetch(path)).status);
        return answers;
      }, paths);
    await ask(Array.from({ length: 70 }, (_, at) => `${picture}?${at}`));
    await expect.poll(async () => (await cached(page, 'lw-pictures')).length).toBe(60);
    const kept = await cached(page, 'lw-pictures');
    expect(kept.at(-1)).toBe(`${picture}?69`);
    expect(kept).not.toContain(`${picture}?9`);

    expect(await ask(['/media/0000.png', '/media/none'])).toEqual([404, 404]);
    expect(await cached(page, 'lw-pictures')).toEqual(kept);
  });

  // A picture that is not there is what the page complains of.
  test.use({ expectedErrors: new RegExp(`${NO_SERVER.source}|404 `) });
});

test.describe('a page whose second file is gone from the server', () => {
  test.use({ expectedErrors: /404 |WebAssembly/ });

  for (const { from, to } of [
    { from: '/', to: 'the next link' },
    { from: '/rewards', to: 'once' },
  ]) {
    test(`at ${from} goes on with the version that is there now, at ${to}`, async ({ page, signIn, wallet }) => {
      await signIn('linh');
      const old = await wallet.program();
      await page.route(`**/${old}-screens.wasm`, async (route) => {
        if ((await wallet.program()) === old) await wallet.rename();
        await route.fulfill({ status: 404 });
      });
      const loads = counted(page);
      const asked = askedForPage(page);
      await page.goto(from);
      await asked;
      if (from === '/') {
        await expect(page.getByText('Hello Linh, your points are worth')).toBeVisible();
        // The page itself is left alone.
        await page.waitForTimeout(1_000);
        expect(loads()).toBe(1);
        await page.getByRole('link', { name: 'Rewards', exact: true }).click();
      }
      await expect(page.getByRole('heading', { name: 'Rewards', level: 1 })).toBeVisible();
      expect(loads()).toBe(2);
    });
  }

  test('says so where the version is the same, and tries again', async ({ page, signIn }) => {
    await askOnlyWhenPressed(page);
    await signIn('linh');
    await page.route(/-screens\.wasm$/, (route) => route.fulfill({ status: 404 }));
    const loads = counted(page);
    const asked = askedForPage(page);
    await page.goto('/rewards');
    await asked;
    await expect(page.getByRole('button', { name: 'Try again' })).toBeVisible();
    // Each answer about the member, too, has the file asked for again.
    await settle(page);
    await page.unroute(/-screens\.wasm$/);
    await page.getByRole('button', { name: 'Try again' }).click();
    await expect(page.getByRole('heading', { name: 'Rewards', level: 1 })).toBeVisible();
    expect(loads()).toBe(1);
  });
});

test('the manifest is complete, and what it names is there as it says', async ({ page }) => {
  await page.goto('/');
  const href = await page.locator('link[rel="manifest"]').getAttribute('href');
  const manifest = await (await page.request.get(href ?? '')).json();
  const devtools = await page.context().newCDPSession(page);
  const read = await devtools.send('Page.getAppManifest');
  expect(read.url, 'the browser reads it too').toContain(href ?? '');
  expect(read.errors).toEqual([]);
  expect(manifest).toMatchObject({
    id: '/',
    name: 'Brightleaf',
    short_name: 'Brightleaf',
    lang: 'en',
    dir: 'ltr',
    start_url: '/',
    scope: '/',
    display: 'standalone',
  });
  expect(manifest.shortcuts.map((shortcut: { url: string }) => shortcut.url)).toEqual(['/code', '/rewards']);
  const purposes = manifest.icons.map((icon: { purpose: string }) => icon.purpose);
  expect(new Set(purposes)).toEqual(new Set(['any', 'maskable', 'monochrome']));
  const forms = manifest.screenshots.map((picture: { form_factor: string }) => picture.form_factor);
  expect(new Set(forms)).toEqual(new Set(['narrow', 'wide']));

  const named = [...manifest.icons, ...manifest.screenshots, ...manifest.shortcuts.flatMap((one: { icons: [] }) => one.icons)];
  for (const { src, type, sizes } of named) {
    const answer = await page.request.get(src);
    expect(answer.headers()['content-type'], src).toBe(type);
    expect((await answer.body()).length, src).toBeLessThan(150_000);
    if (sizes === 'any') continue;
    const size = await page.evaluate(async (src) => {
      const image = new Image();
      image.src = src;
      await image.decode();
      return `${image.naturalWidth}x${image.naturalHeight}`;
    }, src);
    expect(size, src).toBe(sizes);
  }
});

test.describe('the home screen', () => {
  const offer = (page: Page) => page.getByRole('region', { name: 'Put the wallet on your home screen' });

  test.beforeEach(async ({ page }) => {
    // Chromium asks only somebody who has used a page for a while; what it would say is said here.
    await page.addInitScript(() => {
      const prompt = async () => Object.assign(window, { asked: true });
      addEventListener('load', () => dispatchEvent(Object.assign(new Event('beforeinstallprompt', { cancelable: true }), { prompt })));
    });
  });

  test('is offered once points came in, not before, and not again after a no', async ({ page, signIn, till, a11y }) => {
    test.slow();
    await signIn('linh');
    await page.goto('/');
    await toYouAndBack(page);
    await expect(offer(page)).toHaveCount(0);

    await till.sell(LINH, 1000);
    await expect.poll(() => page.evaluate(() => localStorage.getItem('lw.install'))).toBe('offer');
    await expect(offer(page)).toHaveCount(0);
    await toYouAndBack(page);
    await expect(offer(page)).toBeVisible();
    await a11y.audit();
    await offer(page).getByRole('button', { name: 'No, thanks' }).click();
    await expect(offer(page)).toHaveCount(0);

    const told = page.waitForResponse('**/api/v1/me/status');
    await till.sell(LINH, 1000);
    await told;
    await page.reload();
    await toYouAndBack(page);
    await expect(offer(page)).toHaveCount(0);
  });

  test('is offered once a voucher was used; the browser then asks', async ({ page, signIn, till }) => {
    await signIn('linh');
    const voucher = await makeVoucher(page, { spend: { points: 1000 } });
    await page.goto(`/vouchers/${voucher.id}`);
    await expect(page.getByRole('heading', { name: 'Show this at the till' })).toBeVisible();
    expect(await page.evaluate(() => localStorage.getItem('lw.install'))).toBeNull();
    await till.capture(voucher.code);
    await expect(page.getByRole('heading', { name: 'Used', level: 2 })).toBeVisible();
    await page.getByRole('link', { name: 'Home', exact: true }).first().click();
    await offer(page).getByRole('button', { name: 'Put it there' }).click();
    await expect.poll(() => page.evaluate(() => (window as { asked?: boolean }).asked)).toBe(true);
    await expect(offer(page)).toHaveCount(0);
  });

  test('is offered on the third day, and on an iPhone with how it is done', async ({ page, context, signIn, prefer, a11y }) => {
    await context.addInitScript(() => {
      Object.defineProperty(navigator, 'standalone', { value: false });
      // Safari has no such event.
      addEventListener('beforeinstallprompt', (event) => event.stopImmediatePropagation(), { capture: true });
    });
    await prefer({ language: 'en' });
    await signIn('linh');
    for (const day of ['21', '22', '22']) {
      await context.clock.setSystemTime(new Date(`2026-11-${day}T10:00:00Z`));
      await page.goto('/');
      await toYouAndBack(page);
      await expect(offer(page)).toHaveCount(0);
    }
    await context.clock.setSystemTime(new Date('2026-11-25T10:00:00Z'));
    await page.goto('/');
    await expect(offer(page)).toContainText('In Safari, tap Share.');
    await a11y.audit();
    await offer(page).getByRole('button', { name: 'Got it' }).click();
    await page.reload();
    await toYouAndBack(page);
    await expect(offer(page)).toHaveCount(0);
  });

  test('is never offered to who has the wallet there; You says how to everybody else', async ({ page, context, signIn, a11y }) => {
    await signIn('linh');
    await page.goto('/you');
    const how = page.locator('section').filter({ has: page.getByRole('heading', { name: 'Put the wallet on your home screen' }) });
    await how.getByText('Android', { exact: true }).click();
    await expect(how.getByText('Open the menu of your browser.')).toBeVisible();
    await a11y.audit();

    await context.addInitScript(() => {
      localStorage.setItem('lw.install', 'offer');
      const real = window.matchMedia.bind(window);
      window.matchMedia = (query) => (query.includes('display-mode') ? ({ ...real(query), matches: true } as MediaQueryList) : real(query));
    });
    await page.goto('/you');
    await expect(how.getByText('It is on your home screen.')).toBeVisible();
    await page.getByRole('link', { name: 'Home', exact: true }).click();
    await expect(page.getByText('Hello Linh, your points are worth')).toBeVisible();
    await expect(offer(page)).toHaveCount(0);
  });
});

/** Waits until the worker has everything and answers for this page. */
async function inCharge(page: Page): Promise<void> {
  await page.waitForFunction(() => navigator.serviceWorker.controller?.state === 'activated');
}

/** Lets the worker look for another version, and waits until that is whole. */
async function lookForUpdate(page: Page): Promise<void> {
  await page.evaluate(async () => {
    const registration = await navigator.serviceWorker.ready;
    await registration.update();
  });
  await page.waitForFunction(async () => Boolean((await navigator.serviceWorker.getRegistration())?.waiting));
}

/** How often the page has been loaded since. */
function counted(page: Page): () => number {
  let loads = 0;
  page.on('domcontentloaded', () => (loads += 1));
  return () => loads;
}

/** Waits until the program has looked which version the server has. */
function askedForPage(page: Page): Promise<unknown> {
  return page.waitForResponse((answer) => new URL(answer.url()).pathname === '/' && answer.request().resourceType() === 'fetch');
}

/** Which version the page is of; `null` for the one that was built. */
async function version(page: Page): Promise<string | null> {
  return page.locator('html').getAttribute('data-test');
}

async function shells(page: Page): Promise<string[]> {
  const names = await page.evaluate(() => caches.keys());
  return names.filter((name) => name.startsWith('lw-shell-'));
}

/** What the caches of this name keep, in order. */
async function cached(page: Page, name: string): Promise<string[]> {
  return page.evaluate(async (name) => {
    const paths = [];
    for (const found of await caches.keys()) {
      if (!found.startsWith(name)) continue;
      const cache = await caches.open(found);
      for (const { url } of await cache.keys()) paths.push(url.slice(location.origin.length));
    }
    return paths;
  }, name);
}

async function toYouAndBack(page: Page): Promise<void> {
  await page.getByRole('link', { name: 'You', exact: true }).click();
  await expect(page.getByRole('heading', { name: 'You', level: 1 })).toBeVisible();
  await page.getByRole('link', { name: 'Home', exact: true }).click();
  await expect(page.getByText('Hello Linh, your points are worth')).toBeVisible();
}
