import { defineConfig } from '@playwright/test';
import { browser, desktop, mobile } from './browser.js';

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
  use: { ...browser, screenshot: 'only-on-failure' },
  projects: [
    { name: 'mobile', use: mobile },
    // Where a wide screen makes a difference.
    { name: 'desktop', use: desktop, grep: /@desktop/ },
  ],
});
