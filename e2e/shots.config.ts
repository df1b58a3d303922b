import { defineConfig } from '@playwright/test';
import { browser, mobile } from './browser.js';

/** Pictures to look at, not tests: `cargo xtask shots`. */
export default defineConfig({
  testDir: '.',
  testMatch: 'shots.ts',
  outputDir: 'test-results/shots',
  workers: 2,
  reporter: 'list',
  use: browser,
  projects: [
    { name: 'screens', grepInvert: /@readme|@install/ },
    { name: 'readme', grep: /@readme/, use: mobile },
    { name: 'install', grep: /@install/ },
  ],
});
