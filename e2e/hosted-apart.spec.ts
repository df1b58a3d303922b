import type { Page } from '@playwright/test';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test as base } from './fixtures.js';
import { freePort } from './port.js';
import { Server } from './server.js';
import { StaticHost } from './static-host.js';

/** The wallet on one host and its API on another, below one registrable domain. */
const test = base.extend<{ hosts: { wallet: StaticHost; api: string } }>({
  hosts: async ({ sample, now }, use) => {
    const folder = await mkdtemp(join(tmpdir(), 'loyalty-apart-'));
    await cp(sample, folder, { recursive: true });
    const port = await freePort();
    const wallet = new StaticHost();
    wallet.api = `http://api.shop.localhost:${port}`;
    await wallet.start();
    const origins = { api: wallet.api, wallet: wallet.url('wallet.shop.localhost') };
    const server = new Server(join(folder, 'loyalty.db'), now, undefined, undefined, origins);
    try {
      await server.start();
      await use({ wallet, api: wallet.api });
    } finally {
      await server.stop();
      await wallet.stop();
      await rm(folder, { recursive: true, force: true });
    }
  },

  baseURL: async ({ hosts }, use) => use(hosts.wallet.url('wallet.shop.localhost')),
});

test('a wallet on a host of its own signs in, shows its pictures, and uses points', async ({ page, hosts }) => {
  test.slow();
  await page.goto('/');
  await signIn(page);
  await expect(page.getByText('€6.25', { exact: true })).toBeVisible();

  await page.getByRole('link', { name: 'Rewards', exact: true }).click();
  const picture = page.getByRole('main').locator('img').first();
  await expect(picture).toHaveJSProperty('complete', true);
  expect(await picture.evaluate((image: HTMLImageElement) => [new URL(image.src).origin, image.naturalWidth > 0])).toEqual([
    hosts.api,
    true,
  ]);

  await page.getByRole('link', { name: 'Home', exact: true }).click();
  await page.getByRole('link', { name: 'Use it' }).click();
  await page.getByRole('button', { name: /^Use .* now$/ }).click();
  await expect(page.getByRole('heading', { name: 'Show this at the till' })).toBeVisible();

  // The till's capture comes over the stream of events, which another host is asked for too.
  const code = (await page.locator('.voucher__code').textContent())!.replace(/[^0-9A-Z]/g, '');
  // Only browsers know that every name below `localhost` is this machine.
  const api = hosts.api.replace('api.shop.localhost', '127.0.0.1');
  const captured = await page.request.post(`${api}/api/v1/counter/redemptions/${code}/capture`, {
    data: {},
    headers: { authorization: 'Bearer demo-till-key', 'idempotency-key': crypto.randomUUID() },
  });
  expect(captured.ok(), await captured.text()).toBe(true);
  await expect(page.getByRole('heading', { name: 'Used', level: 2 })).toBeVisible();

  await page.goto('/statement');
  const table = await page.getByRole('link', { name: /CSV/ }).getAttribute('href');
  expect(new URL(table!).origin).toBe(hosts.api);

  await page.getByRole('link', { name: 'You', exact: true }).click();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await expect(page.getByRole('heading', { name: 'Welcome', level: 1 })).toBeVisible();
  expect(await page.context().cookies(hosts.api)).toEqual([]);
});

test.describe('a host that was not named', () => {
  test.use({ expectedErrors: /CORS policy|net::ERR_FAILED/ });

  test('reaches nothing with the same files', async ({ page, hosts }) => {
    await page.goto(hosts.wallet.url('elsewhere.shop.localhost'));
    await expect(page.getByRole('heading', { name: 'No connection' })).toBeVisible();
  });
});

async function signIn(page: Page): Promise<void> {
  await page.getByLabel('E-mail address').fill('linh@brightleaf.example');
  await page.getByRole('button', { name: 'Send me a code' }).click();
  await page.getByRole('button', { name: 'Use this code' }).click();
}
