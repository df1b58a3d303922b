import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { APIRequestContext, Page } from '@playwright/test';
import { expect, signIn, test as base } from './fixtures.js';
import { Server } from './server.js';

export { expect };

type TestFixtures = {
  /** A server with data of its own: what a test spends, or lets pass, is gone with it. */
  shop: Server;
  /** What a till says to that server. */
  till: Till;
};

export const test = base.extend<TestFixtures>({
  shop: async ({ sample, now }, use) => {
    const folder = await mkdtemp(join(tmpdir(), 'loyalty-shop-'));
    await cp(sample, folder, { recursive: true });
    const shop = new Server(join(folder, 'loyalty.db'), now);
    try {
      await shop.start();
      await use(shop);
    } finally {
      await shop.stop();
      await rm(folder, { recursive: true, force: true });
    }
  },

  baseURL: async ({ shop }, use) => use(shop.url),

  signIn: async ({ context, shop }, use) => {
    await use(async (member) => {
      await context.addInitScript(() => localStorage.setItem('lw.signed-in', 'yes'));
      await signIn(context, shop, member);
    });
  },

  till: async ({ playwright, shop }, use) => {
    const request = await playwright.request.newContext();
    await use(new Till(request, shop));
    await request.dispose();
  },
});

/** The till of the main shop. */
export class Till {
  constructor(
    private readonly request: APIRequestContext,
    private readonly shop: Server,
  ) {}

  /** Tells of a purchase of so many minor units. */
  async sell(member: string, minor: number): Promise<void> {
    const purchase = { external_id: crypto.randomUUID(), store: 'main', occurred_at: '2026-11-21T09:30:00Z' };
    await this.#post('/purchases', { ...purchase, total: { minor, currency: 'EUR' }, member });
  }

  /** Scans a voucher for a basket of so many minor units. */
  async capture(code: string, basket?: number): Promise<void> {
    await this.#post(`/counter/redemptions/${code}/capture`, basket ? { basket: { minor: basket, currency: 'EUR' } } : {});
  }

  /** Takes a voucher back that was used. */
  async refund(id: string): Promise<void> {
    await this.#post(`/counter/redemptions/${id}/refund`, {});
  }

  /** Lets time pass on the server. */
  async moveClock(now: string): Promise<void> {
    await this.#post('/demo/clock', { now });
  }

  async #post(path: string, data: object): Promise<void> {
    const headers = { authorization: 'Bearer demo-till-key', 'idempotency-key': crypto.randomUUID(), origin: this.shop.url };
    const answer = await this.request.post(`${this.shop.url}/api/v1${path}`, { data, headers });
    expect(answer.ok(), `POST ${path}: ${answer.status()} ${await answer.text()}`).toBe(true);
  }
}

export type Voucher = { id: string; code: string; state: string; points: number };

/** The member's vouchers, as the server has them. */
export async function vouchersOf(page: Page): Promise<Voucher[]> {
  const answer = await page.request.get('/api/v1/me/redemptions?limit=100');
  return (await answer.json()).items;
}

/** What the member can use, as the server has it. */
export async function availableOf(page: Page): Promise<number> {
  const answer = await page.request.get('/api/v1/me/status');
  return (await answer.json()).balance.available;
}

/** The points that were taken and given back since the shop opened its doors for this test, newest first. */
export async function movesOf(page: Page, since = '2026-11-21T10:00:00Z'): Promise<number[]> {
  const answer = await page.request.get('/api/v1/me/ledger?kind=spend,release,refund&limit=50');
  const { items } = (await answer.json()) as { items: { at: string; points: number }[] };
  return items.filter((entry) => Date.parse(entry.at) >= Date.parse(since)).map((entry) => entry.points);
}

/** Makes a voucher through the API, as another phone would; its screen is then opened by its id. */
export async function makeVoucher(page: Page, intent: object): Promise<Voucher> {
  const origin = new URL((await page.request.get('/api/v1/me/status')).url()).origin;
  const post = async (path: string, data: object, headers: Record<string, string> = {}) => {
    const answer = await page.request.post(`/api/v1${path}`, { data, headers: { origin, ...headers } });
    expect(answer.ok(), `POST ${path}: ${answer.status()} ${await answer.text()}`).toBe(true);
    return answer.json();
  };
  const quote = await post('/quotes', intent);
  return post('/redemptions', { quote_id: quote.quote_id }, { 'idempotency-key': crypto.randomUUID() });
}
