import { AxeBuilder } from '@axe-core/playwright';
import { test as base, expect, type BrowserContext, type Cookie, type Page } from '@playwright/test';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeSample, NOW, SAMPLE } from './sample.js';
import { Server } from './server.js';
import { followRequests } from './settle.js';

export { expect };

/** The six members of the sample. */
export type MemberName = 'linh' | 'amir' | 'olga' | 'siti' | 'pavel' | 'reza';

/** What a customer chose in the wallet's settings. */
export type Preferences = { language?: 'en' | 'fa'; theme?: 'light' | 'dark' };

type TestFixtures = {
  /** The instant at which the test begins, for server and browser alike. */
  now: string;
  /** Signs a member in through the API, as the sign-in screen would. */
  signIn: (member: MemberName) => Promise<void>;
  /** Settles language and theme before the page loads. */
  prefer: (preferences: Preferences) => Promise<void>;
  /** `audit()` fails on anything that axe holds against WCAG 2.2 AA. */
  a11y: { audit: () => Promise<void> };
  /** What the console may say in a test that breaks something on purpose. */
  expectedErrors: RegExp;
  /** Fails a test whose page threw, wrote an error, or tried what the content security policy forbids. */
  cleanConsole: void;
};

type WorkerFixtures = {
  /** A folder with the sample's data, from which each server begins. */
  sample: string;
  /** The real API with the sample and the built wallet; `stop()` and `start()` keep address and data. */
  server: Server;
  /** Sessions of members who signed in before: each member can ask for a code only so often. */
  sessions: Map<MemberName, Cookie[]>;
};

/** The wallet learns that nobody is signed in from the answer 401, which the browser reports as an error. */
const ASKED_BEFORE_SIGN_IN = /401 \(Unauthorized\).*\/api\/v1\/(me\/|rewards\?)/;

export const test = base.extend<TestFixtures, WorkerFixtures>({
  sample: [
    async ({}, use) => {
      const shared = process.env[SAMPLE];
      if (shared) return use(shared);
      const folder = await makeSample();
      await use(folder);
      await rm(folder, { recursive: true, force: true });
    },
    { scope: 'worker' },
  ],

  server: [
    async ({ sample }, use) => {
      const folder = await mkdtemp(join(tmpdir(), 'loyalty-wallet-'));
      await cp(sample, folder, { recursive: true });
      const server = new Server(join(folder, 'loyalty.db'), NOW);
      try {
        await server.start();
        await use(server);
      } finally {
        await server.stop();
        await rm(folder, { recursive: true, force: true });
      }
    },
    { scope: 'worker' },
  ],

  sessions: [async ({}, use) => use(new Map()), { scope: 'worker' }],

  baseURL: async ({ server }, use) => use(server.url),

  now: [NOW, { option: true }],

  context: async ({ context, now }, use) => {
    // Sets the date and lets timers run on.
    await context.clock.setSystemTime(new Date(now));
    await use(context);
  },

  signIn: async ({ context, server, sessions }, use) => {
    await use(async (member) => {
      // As the wallet notes it; the page's first paint depends on it.
      await context.addInitScript(() => localStorage.setItem('lw.signed-in', 'yes'));
      const remembered = sessions.get(member);
      if (remembered) {
        await context.addCookies(remembered);
        if (await isSignedIn(context, server)) return;
      }
      await signIn(context, server, member);
      sessions.set(member, await context.cookies());
    });
  },

  prefer: async ({ context }, use) => {
    await use((preferences) => prefer(context, preferences));
  },

  a11y: async ({ page }, use) => {
    await use({ audit: () => audit(page) });
  },

  expectedErrors: [/^$/, { option: true }],

  cleanConsole: [
    async ({ page, expectedErrors }, use) => {
      followRequests(page);
      const complaints: string[] = [];
      page.on('pageerror', (error) => complaints.push(error.message));
      page.on('console', (message) => {
        const text = `${message.text()} ${message.location().url}`;
        const isComplaint = message.type() === 'error' || text.includes('Content Security Policy');
        if (isComplaint && !ASKED_BEFORE_SIGN_IN.test(text) && !expectedErrors.test(text)) complaints.push(text);
      });
      await use();
      expect(complaints, 'the page neither throws, nor complains, nor breaks its policy').toEqual([]);
    },
    { auto: true },
  ],
});

async function isSignedIn(context: BrowserContext, server: Server): Promise<boolean> {
  const status = await context.request.get(`${server.url}/api/v1/me/status`);
  return status.ok();
}

/** Signs a member in through the API of a server. */
export async function signIn(context: BrowserContext, server: Server, member: MemberName): Promise<void> {
  const post = async (path: string, data: object) => {
    const answer = await context.request.post(`${server.url}/api/v1${path}`, { data, headers: { origin: server.url } });
    expect(answer.ok(), `POST ${path}: ${answer.status()} ${await answer.text()}`).toBe(true);
    return answer.json();
  };
  const challenge = await post('/auth/challenges', { address: `${member}@brightleaf.example` });
  const session = await post('/auth/sessions', { challenge_id: challenge.challenge_id, code: challenge.demo_code });
  expect(session.state).toBe('member');
}

/** Keeps the wallet, once loaded, from asking again by itself: what comes then was brought by a press. */
export async function askOnlyWhenPressed(page: Page): Promise<void> {
  await page.addInitScript(() => {
    addEventListener('lw-again', (event) => event.stopImmediatePropagation());
    // The stream of events, whenever it opens, has what is known asked for again.
    const silent = class extends EventTarget {
      readyState = 0;
      close() {}
    };
    Object.assign(globalThis, { EventSource: silent });
  });
}

/** Lets the longest pause pass after which the wallet asks again by itself. */
export async function waitForNextTry(page: Page): Promise<void> {
  await page.clock.fastForward('01:00');
}

async function prefer(context: BrowserContext, { language, theme }: Preferences): Promise<void> {
  const chosen = { 'lw.language': language, 'lw.theme': theme };
  await context.addInitScript((entries) => {
    for (const [key, value] of entries) if (value) localStorage.setItem(key, value);
  }, Object.entries(chosen));
}

async function audit(page: Page): Promise<void> {
  // No page here has a frame, for whose sake axe would open another page and run in two parts.
  const { violations } = await new AxeBuilder({ page })
    .setLegacyMode()
    // What is good is not written up, which takes as long as finding it.
    .options({ resultTypes: ['violations'] })
    .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22a', 'wcag22aa'])
    .analyze();
  const found = violations.map(({ id, help, nodes }) => ({ id, help, where: nodes.map((node) => node.html) }));
  expect(found, `accessibility of ${page.url()}`).toEqual([]);
}
