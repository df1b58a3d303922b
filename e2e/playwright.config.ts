import { defineConfig } from '@playwright/test';
import { browser, desktop, mobile } from './browser.js';

/**
 * What a new window would load of the browser's own, which is half of its cost. One such list alone counts, so what
 * matters of Playwright's own is in it too.
 */
const UNUSED = [
  'WebUIOmniboxAimPopup',
  'WebUIOmniboxPopup',
  'HttpsFirstBalancedModeAutoEnable',
  'HttpsUpgrades',
  'NetworkTimeServiceQuerying',
  'OptimizationHints',
  'PaintHolding',
];

const args = [...(browser.launchOptions?.args ?? []), `--disable-features=${UNUSED.join(',')}`];

/** Journeys of a customer, in a real browser, against the real server and the built wallet. */
export default defineConfig({
  testDir: '.',
  globalSetup: './sample.ts',
  outputDir: 'test-results',
  workers: 2,
  timeout: 30_000,
  expect: { timeout: 7_000 },
  forbidOnly: Boolean(process.env.CI),
  // A test that passes only at the second try is a bug, in the wallet or in the test.
  retries: 0,
  reporter: [['list'], ['json', { outputFile: 'test-results/results.json' }]],
  // A trace of every test would cost a fifth of the time: `-- --trace retain-on-failure` makes one where it is wanted.
  use: { ...browser, launchOptions: { ...browser.launchOptions, args }, screenshot: 'only-on-failure' },
  projects: [
    { name: 'mobile', use: mobile },
    // Where a wide screen makes a difference.
    { name: 'desktop', use: desktop, grep: /@desktop/ },
  ],
});
