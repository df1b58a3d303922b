import { defineConfig } from '@playwright/test';

/**
 * The main journeys once more, in each engine that people have: `cargo xtask test --browsers all`.
 * Playwright only runs the tests here; the browsers are driven through their own WebDriver programs.
 */
export default defineConfig({
  testDir: 'webdriver',
  testMatch: 'journeys.ts',
  outputDir: 'test-results/webdriver',
  workers: 1,
  timeout: 120_000,
  expect: { timeout: 10_000 },
  forbidOnly: Boolean(process.env.CI),
  retries: 0,
  reporter: [['list'], ['json', { outputFile: 'test-results/webdriver.json' }]],
  projects: [{ name: 'chromium' }, { name: 'firefox' }, { name: 'webkit' }],
});
