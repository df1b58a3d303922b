import { chromium, expect, test, type BrowserContext, type Page } from '@playwright/test';
import { createHash } from 'node:crypto';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { audit, figures } from './audit.js';
import { browser as options, mobile } from './browser.js';
import { Server } from './server.js';

/*
 * How soon the installed wallet is there, without a network.
 *
 * Once: a browser with a profile of its own signs a member in, and stays until its worker is in charge and home has been
 * seen through it. Then the server is stopped, and stays so.
 *
 * TIMES times, in turn, each in a new process of the browser with that profile:
 *   home     from the start of the navigation to the picture with the last known balance, which the page shows as it was
 *            last seen, and to the one that the program draws in its place from what it remembers;
 *   empty    from the start of the navigation to the picture of a page that says one sum, out of the same worker's cache;
 *   program  on that same page, after its picture: from the request of the program's files, out of the same cache, to an
 *            instance of it that has not run anything yet.
 * The ratio is that of the medians: home, to empty and program together. The page does not wait for the program before
 * it shows a balance, so that it can be below 1.
 *
 * The empty page is in this benchmark's own copy of the built wallet, whose worker is told of it. The first rounds are
 * not counted: the browser compiles a program ahead that it was given before, as it does for whoever uses it.
 *
 * Beside it, under Lighthouse's simulated phone and network: a first visit, and one with everything kept from before.
 */

const TIMES = 10;
const UNCOUNTED = 2;
const LIMIT = 1.5;
const MEMBER = 'linh@brightleaf.example';

/** Marks the moments at which elements with a sum were painted; it is there from the page's first moment on. */
const WATCH = `
  globalThis.paintedAt = {};
  const watch = (name, selector) =>
    new MutationObserver((_, observer) => {
      if (!/\\d/.test(document.querySelector(selector)?.textContent ?? '')) return;
      observer.disconnect();
      // The frame with it has been handed over once the task behind the next one runs.
      requestAnimationFrame(() => setTimeout(() => (globalThis.paintedAt[name] = performance.now())));
    }).observe(document, { childList: true, subtree: true, characterData: true });
  watch('sum', '.worth__money, #sum');
  watch('program', '#app .worth__money');`;

const EMPTY_PAGE = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Empty</title><meta name="viewport" content="width=device-width"></head>
<body><p id="sum">€6.25</p><script type="module" src="/empty.js"></script></body></html>
`;

/** Fetches and compiles the program as the wallet does, and gives it imports that do nothing. */
const EMPTY_SCRIPT = (script: string, program: string): string => `
globalThis.startProgram = async () => {
  const started = performance.now();
  const [, module] = await Promise.all([import('${script}'), WebAssembly.compileStreaming(fetch('${program}'))]);
  const imports = {};
  for (const { module: from, name, kind } of WebAssembly.Module.imports(module)) {
    if (kind !== 'function') throw new Error('the program imports a ' + kind);
    (imports[from] ??= {})[name] = () => 0;
  }
  await WebAssembly.instantiate(module, imports);
  return performance.now() - started;
};
`;

test('the start of the installed wallet', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'loyalty-start-'));
  const wallet = await withEmptyPage(join(folder, 'wallet'));
  const server = new Server(join(folder, 'loyalty.db'), undefined, undefined, wallet);
  const profile = join(folder, 'profile');
  const home: number[] = [];
  const drawn: number[] = [];
  const empty: number[] = [];
  const program: number[] = [];
  try {
    await server.start();
    await install(profile, server.url);
    await server.stop();
    for (let round = -UNCOUNTED; round < TIMES; round++) {
      const opened = await inNewProcess(profile, `${server.url}/`, async (page) => ({ home: await painted(page, 'sum'), drawn: await painted(page, 'program') }));
      const bare = await inNewProcess(profile, `${server.url}/empty.html`, async (page) => ({
        empty: await painted(page, 'sum'),
        program: await page.evaluate(() => (globalThis as unknown as { startProgram: () => Promise<number> }).startProgram()),
      }));
      if (round < 0) continue;
      home.push(opened.home);
      drawn.push(opened.drawn);
      empty.push(bare.empty);
      program.push(bare.program);
    }
    print(['Without a network, in a new process', 'median ms', 'fastest', 'slowest']);
    row('home, the last known balance painted', home);
    row('the same from the program, in its place', drawn);
    row('an empty page from the same worker', empty);
    row('the program fetched, compiled, instantiated', program);
    const ratio = median(home) / (median(empty) + median(program));
    console.log(`The wallet takes ${ratio.toFixed(2)} times what the empty page and the program take; the limit is ${LIMIT}.`);

    await server.start();
    await visits(server.url, join(folder, 'visits'));
  } finally {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
});

/** A copy of the built wallet with the empty page, which its worker keeps like all its files. */
async function withEmptyPage(folder: string): Promise<string> {
  const built = process.env.LOYALTY_WALLET_DIR;
  if (!built) throw new Error('LOYALTY_WALLET_DIR names no built wallet: run this with `cargo xtask bench start`.');
  await cp(built, folder, { recursive: true });
  const page = await readFile(join(folder, 'index.html'), 'utf8');
  const [, script, program] = /data-js="?([^"\s>]+)"? data-wasm="?([^"\s>]+)/.exec(page) ?? [];
  if (!script || !program) throw new Error('the page does not name its program');
  const files = { 'empty.html': EMPTY_PAGE, 'empty.js': EMPTY_SCRIPT(script, program) };
  const listed = Object.entries(files).map(([name, text]) => [`/${name}`, createHash('sha256').update(text).digest('hex')]);
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  // What was compressed beforehand is without them.
  for (const name of await readdir(folder)) if (/^sw\.js\./.test(name)) await rm(join(folder, name));
  const worker = await readFile(join(folder, 'sw.js'), 'utf8');
  const told = worker.replace(/FILES\s*=\s*\{/, (start) => `${start}${listed.map((pair) => pair.map((word) => JSON.stringify(word)).join(':')).join(',')},`);
  if (told === worker) throw new Error('the worker does not list its files');
  await writeFile(join(folder, 'sw.js'), told);
  return folder;
}

/** Signs the member in, and waits until the worker is in charge and home has been opened through it. */
async function install(profile: string, url: string): Promise<void> {
  const context = await open(profile);
  const page = context.pages()[0] ?? (await context.newPage());
  await page.goto(url);
  await page.getByLabel('E-mail address').fill(MEMBER);
  await page.getByRole('button', { name: 'Send me a code' }).click();
  await page.getByRole('button', { name: 'Use this code' }).click();
  await expect(page.locator('.worth__money')).toBeVisible();
  await page.waitForFunction(() => navigator.serviceWorker.controller?.state === 'activated');
  for (const path of ['/empty.html', '/']) await page.goto(url + path);
  await expect(page.locator('#app .worth__money')).toBeVisible();
  // What is remembered, and what home looks like with it, is written a moment later.
  await page.waitForTimeout(3_000);
  await context.close();
}

async function open(profile: string, more: string[] = []): Promise<BrowserContext> {
  const { launchOptions, locale, timezoneId } = options;
  return chromium.launchPersistentContext(profile, {
    ...launchOptions,
    ...mobile,
    locale,
    timezoneId,
    serviceWorkers: 'allow',
    args: [...(launchOptions?.args ?? []), ...more],
  });
}

async function inNewProcess<T>(profile: string, url: string, measure: (page: Page) => Promise<T>): Promise<T> {
  const context = await open(profile);
  try {
    await context.addInitScript(WATCH);
    const page = context.pages()[0] ?? (await context.newPage());
    // The process has done all that it does by itself at its start.
    await page.waitForTimeout(500);
    await page.goto(url, { waitUntil: 'commit' });
    // Asking the page earlier would keep it from what is measured.
    await page.waitForTimeout(1_500);
    return await measure(page);
  } finally {
    await context.close();
  }
}

async function painted(page: Page, name: 'sum' | 'program'): Promise<number> {
  const moment = await page.waitForFunction(
    (name) => (globalThis as unknown as { paintedAt: Record<string, number> }).paintedAt[name],
    name,
    { timeout: 20_000 },
  );
  return (await moment.jsonValue()) ?? 0;
}

/** A first visit and a later one to home, as Lighthouse's phone has them. */
async function visits(url: string, profile: string): Promise<void> {
  print(["On Lighthouse's phone and network", 'first paint', 'largest', 'blocked', 'speed', 'kB']);
  const visit = async (name: string, isFirst: boolean) => {
    const port = 9_400 + (process.pid % 500);
    const context = await open(profile, [`--remote-debugging-port=${port}`]);
    try {
      const results = [];
      for (let time = 0; time < 5; time++) results.push(figures(await audit(url, port, { keep: !isFirst, only: ['performance'] })));
      const of = (key: keyof (typeof results)[0]) => String(Math.round(median(results.map((result) => result[key]))));
      print([name, of('firstPaint'), of('largestPaint'), of('blocked'), of('speed'), of('kilobytes')]);
    } finally {
      await context.close();
    }
  };
  await visit('a first visit, signed out', true);
  await install(profile, url);
  await visit('home again, everything kept', false);
}

function median(figures: number[]): number {
  const sorted = figures.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

function row(name: string, times: number[]): void {
  print([name, median(times), Math.min(...times), Math.max(...times)].map((cell) => (typeof cell === 'number' ? cell.toFixed(0) : cell)));
}

function print([name = '', ...cells]: string[]): void {
  console.log(name.padEnd(46) + cells.map((cell) => cell.padStart(12)).join(''));
}
