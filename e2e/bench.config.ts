import { defineConfig } from '@playwright/test';
import { browser, mobile } from './browser.js';

/** Figures, not tests: `cargo xtask bench wallet`, `start` and `lighthouse`. */
export default defineConfig({
  testDir: '.',
  testMatch: ['bench.ts', 'start.ts', 'lighthouse.ts'],
  outputDir: 'test-results/bench',
  workers: 1,
  timeout: 600_000,
  reporter: 'dot',
  use: { ...browser, ...mobile },
});
