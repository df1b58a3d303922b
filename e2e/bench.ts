import { expect, test, type Browser, type Page } from '@playwright/test';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Server } from './server.js';
import { summary, type Figures } from './trace.js';

/** How much slower than this machine the phone is. */
const SLOWER = 4;
const REWARDS = 2_000;
const ENTRIES = 10_000;
const TIMES = 10;

const NOW = '2026-11-21T10:00:00Z';
const MEMBER = { number: '512102319990', name: 'Bench', address: 'bench@example.com' };

test('the wallet on a slow phone', async ({ browser }) => {
  const folder = await mkdtemp(join(tmpdir(), 'loyalty-bench-'));
  const database = join(folder, 'loyalty.db');
  const server = new Server(database, NOW);
  console.log(`\n${cells(['', 'taps', 'p50 ms', 'worst ms', 'screen ms', 'long tasks', 'longest ms', 'frames', 'dropped'])}`);
  try {
    await server.start();
    await fill(folder, database);
    const context = await browser.newContext({ baseURL: server.url });
    await context.clock.setSystemTime(new Date(NOW));
    await signIn(context.request, server.url);
    await context.addInitScript(() => localStorage.setItem('lw.signed-in', 'yes'));
    await context.addInitScript(timeScreens);
    const page = await context.newPage();
    const cdp = await context.newCDPSession(page);
    await cdp.send('Emulation.setCPUThrottlingRate', { rate: SLOWER });

    const measure = async (name: string, act: () => Promise<void>) => {
      // What earlier pages left behind is not this one's to tidy up.
      await cdp.send('HeapProfiler.collectGarbage');
      const figures = await traced(browser, page, act);
      const screens = await page.evaluate(() => window.screens?.splice(0) ?? []);
      console.log(row(name, figures, middle(screens)));
    };

    await page.setContent('<button onclick="this.textContent = Date.now()">tap</button>');
    await measure('a bare page with a button', () => times(() => page.getByRole('button').tap()));

    await page.goto('/');
    await expect(page.getByRole('link', { name: 'Rewards', exact: true })).toBeVisible();
    await measure('home, and back', () =>
      times(async () => {
        await page.getByRole('link', { name: 'You', exact: true }).tap();
        await expect(page.getByRole('heading', { level: 1 })).toBeFocused();
        await page.getByRole('link', { name: 'Home', exact: true }).tap();
        await expect(page.locator('.worth__money')).toBeVisible();
      }),
    );

    await page.goto('/rewards');
    await expect(page.getByRole('main').getByRole('listitem').first()).toBeVisible();
    await measure(`a filter over ${REWARDS} rewards`, () =>
      times(async () => {
        for (const name of ['Ready now', 'All']) {
          await page.getByRole('main').getByText(name, { exact: true }).first().tap();
          await page.waitForTimeout(400);
        }
      }),
    );

    await page.goto('/use');
    const slider = page.getByRole('slider');
    await expect(slider).toBeVisible();
    await measure('the slider, step by step', async () => {
      await slider.focus();
      for (let step = 0; step < 40; step++) await page.keyboard.press(step < 20 ? 'ArrowRight' : 'ArrowLeft');
    });

    await page.goto('/activity');
    const entries = page.getByRole('main').getByRole('listitem');
    await expect(entries.first()).toBeVisible();
    // The list grows to its end first, unhurried; what is measured is moving in all of it.
    await cdp.send('Emulation.setCPUThrottlingRate', { rate: 1 });
    await grow(page, ENTRIES);
    await cdp.send('Emulation.setCPUThrottlingRate', { rate: SLOWER });
    await measure(`scrolling through ${await entries.count()} entries`, async () => {
      for (const yDistance of [3000, 3000, -3000, 3000]) {
        await cdp.send('Input.synthesizeScrollGesture', { x: 190, y: 400, yDistance, speed: 3000 });
      }
    });

    await open(page, '/use');
    await page.getByRole('button', { name: /^Use .* now$/ }).tap();
    await expect(page).toHaveURL(/\/vouchers\//);
    await page.goto('/vouchers');
    await measure('opening the voucher, and back', () =>
      times(async () => {
        await page.getByRole('main').locator('a[href^="/vouchers/"]').first().tap();
        await expect(page.getByRole('heading', { name: 'Show this at the till' })).toBeFocused();
        await page.goBack();
        await expect(page).toHaveURL(/\/vouchers$/);
      }),
    );
    await context.close();
  } finally {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
  console.log(`\nFrom a tap to the next picture, by the browser's own trace, with a processor ${SLOWER} times slower.`);
  console.log('A tap is answered when that picture is there within 100 ms: it says where one goes. The screen itself is');
  console.log('drawn after it, and seen "screen ms" after the tap (p50). A long task takes 50 ms or more.');
});

declare global {
  interface Window {
    /** From each tap to the picture of the screen that it led to, in milliseconds. */
    screens?: number[];
  }
}

/** Runs in the page: a screen is there when the picture is that follows the focus on its heading. */
function timeScreens(): void {
  const screens: number[] = (window.screens = []);
  let tapped = 0;
  addEventListener('pointerdown', () => (tapped = performance.now()), { capture: true });
  addEventListener('focusin', ({ target }) => {
    if (!(target instanceof HTMLHeadingElement) || tapped === 0) return;
    const since = tapped;
    tapped = 0;
    requestAnimationFrame(() => setTimeout(() => screens.push(performance.now() - since)));
  });
}

async function times(act: () => Promise<void>): Promise<void> {
  for (let time = 0; time < TIMES; time++) await act();
}

async function open(page: Page, path: string): Promise<void> {
  await page.goto(path);
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
}

/** Moves to the end again and again until the list has so many entries. */
async function grow(page: Page, count: number): Promise<void> {
  const entries = page.getByRole('main').getByRole('listitem');
  while ((await entries.count()) < count) {
    const before = await entries.count();
    await page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight));
    await expect.poll(() => entries.count(), { timeout: 30_000 }).toBeGreaterThan(before);
  }
}

async function traced(browser: Browser, page: Page, act: () => Promise<void>): Promise<Figures> {
  const categories = ['devtools.timeline', 'disabled-by-default-devtools.timeline', 'disabled-by-default-devtools.timeline.frame'];
  await browser.startTracing(page, { categories });
  await act();
  await page.waitForTimeout(300);
  return summary(await browser.stopTracing());
}

function row(name: string, { taps, median, worst, longTasks, longest, frames, dropped }: Figures, screen: string): string {
  return cells([name, taps, median, worst, screen, longTasks, longest, frames, dropped].map(String));
}

function middle(values: number[]): string {
  const sorted = values.toSorted((a, b) => a - b);
  const value = sorted[Math.floor(sorted.length / 2)];
  return value === undefined ? '' : Math.round(value).toString();
}

function cells([name = '', ...figures]: string[]): string {
  return name.padEnd(34) + figures.map((figure) => figure.padStart(12)).join('');
}

/** A catalogue and a ledger as large as they get, by the commands that a shop would use. */
async function fill(folder: string, database: string): Promise<void> {
  const programme = JSON.parse(await readFile(new URL('../crates/api/sample/programme.json', import.meta.url), 'utf8'));
  // Only a sample may name days by their distance from today.
  const sample: { id: string; valid_from?: object; valid_until?: object }[] = programme.rewards;
  programme.rewards = Array.from({ length: REWARDS }, (_, at) => {
    const reward = sample[at % sample.length]!;
    return { ...reward, id: `${reward.id}-${at}`, picture: undefined, valid_from: undefined, valid_until: undefined };
  });
  programme.staff = undefined;
  programme.theme.logo = undefined;
  programme.announced_changes = [];
  programme.earlier_terms = [];
  if (typeof programme.terms.effective_from !== 'string') programme.terms.effective_from = NOW.slice(0, 10);
  const file = (name: string) => join(folder, name);
  await writeFile(file('programme.json'), JSON.stringify(programme));
  await writeFile(
    file('members.csv'),
    `number,name,email,language,since\n${MEMBER.number},${MEMBER.name},${MEMBER.address},en,2023-01-01\n`,
  );
  const newest = Date.parse(NOW) - 60_000;
  const purchases = Array.from({ length: ENTRIES }, (_, at) => {
    const occurred = new Date(newest - at * 45 * 60_000).toISOString();
    return `B-${at},main,${occurred},${(at % 90) + 1}.50,${MEMBER.number}`;
  });
  await writeFile(file('purchases.csv'), ['external_id,store,occurred_at,total,member', ...purchases, ''].join('\n'));
  const run = promisify(execFile);
  const url = ['--database-url', `sqlite://${database}`];
  for (const command of [
    ['programme', 'apply', file('programme.json')],
    ['import', 'members', file('members.csv')],
    ['import', 'purchases', file('purchases.csv')],
  ]) {
    await run(process.env.LOYALTY_API_BIN!, [...command, ...url], { env: { ...process.env, LOYALTY_LOG: 'warn' } });
  }
}

async function signIn(request: Page['request'], origin: string): Promise<void> {
  const post = async (path: string, data: object) => {
    const answer = await request.post(`${origin}/api/v1${path}`, { data, headers: { origin } });
    expect(answer.ok(), `POST ${path}: ${answer.status()} ${await answer.text()}`).toBe(true);
    return answer.json();
  };
  const challenge = await post('/auth/challenges', { address: MEMBER.address });
  await post('/auth/sessions', { challenge_id: challenge.challenge_id, code: challenge.demo_code });
}
