import { chromium, expect, test } from '@playwright/test';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { audit, CATEGORIES, figures } from './audit.js';
import { browser as options } from './browser.js';
import { Server } from './server.js';

const TIMES = 5;
/** What is below is told with its reasons. */
const GOOD = 95;

const PAGES = [
  { name: 'signed out', isSignedIn: false },
  { name: 'home, signed in', isSignedIn: true },
];

test('Lighthouse on a phone', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'loyalty-lighthouse-'));
  const server = new Server(join(folder, 'loyalty.db'));
  console.log(`\n${cells(['', ...CATEGORIES])}`);
  try {
    await server.start();
    for (const { name, isSignedIn } of PAGES) {
      const port = 9_400 + (process.pid % 500);
      const { launchOptions } = options;
      const context = await chromium.launchPersistentContext(join(folder, name), {
        ...launchOptions,
        serviceWorkers: 'allow',
        args: [...(launchOptions?.args ?? []), `--remote-debugging-port=${port}`],
      });
      try {
        if (isSignedIn) {
          const page = await context.newPage();
          await page.goto(server.url);
          await page.getByLabel('E-mail address').fill('linh@brightleaf.example');
          await page.getByRole('button', { name: 'Send me a code' }).click();
          await page.getByRole('button', { name: 'Use this code' }).click();
          await expect(page.locator('#app .worth__money')).toBeVisible();
          // Somebody who was here before: what home looks like is taken a moment later.
          await page.waitForFunction(() => localStorage.getItem('lw.home-of') !== null);
          await page.close();
        }
        const results = [];
        for (let time = 0; time < TIMES; time++) results.push(await audit(server.url, port));
        const scores = CATEGORIES.map((category) => {
          const all = results.map((result) => Math.round((result.categories[category]?.score ?? 0) * 100));
          return all.toSorted((a, b) => a - b)[Math.floor(TIMES / 2)]!;
        });
        console.log(cells([name, ...scores.map(String)]));
        const byPerformance = (result: (typeof results)[0]) => result.categories.performance?.score ?? 0;
        const middle = results.toSorted((a, b) => byPerformance(a) - byPerformance(b))[Math.floor(TIMES / 2)]!;
        const { firstPaint, largestPaint, blocked } = figures(middle);
        const ms = (figure: number) => `${Math.round(figure)} ms`;
        console.log(`    first paint ${ms(firstPaint)}, largest ${ms(largestPaint)}, blocked ${ms(blocked)}`);
        CATEGORIES.forEach((category, at) => {
          if (scores[at]! < GOOD) console.log(reasons(middle, category));
        });
      } finally {
        await context.close();
      }
    }
  } finally {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
  console.log(`\nOf 100; medians of ${TIMES} visits on Lighthouse's mobile device and network, with nothing in the browser's caches.`);
});

/** What cost a category its points. */
function reasons({ categories, audits }: Awaited<ReturnType<typeof audit>>, category: string): string {
  const lost = (categories[category]?.auditRefs ?? []).filter(({ id, weight }) => weight > 0 && (audits[id]?.score ?? 1) < 0.9);
  return lost.map(({ id }) => `    ${category}: ${audits[id]?.title} ${audits[id]?.displayValue ?? ''}`).join('\n');
}

function cells([name = '', ...scores]: string[]): string {
  return name.padEnd(20) + scores.map((score) => score.padStart(16)).join('');
}
