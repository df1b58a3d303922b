import { expect, test } from './fixtures.js';
import { hold } from './hold.js';
import type { Page } from '@playwright/test';

const PROGRAM = /loyalty-wallet-.*\.(js|wasm)$/;

for (const { path, shell } of [
  { path: '/', shell: 'home' },
  { path: '/rewards', shell: 'page' },
]) {
  test(`${path} shows its frame before any program arrives, and does not jump when it does`, { tag: '@desktop' }, async ({ page, signIn }) => {
    await signIn('linh');
    await watchJumps(page);
    const held = await hold(page, PROGRAM);
    await page.goto(path, { waitUntil: 'commit' });
    await expect(page.locator(`#shell [data-shell="${shell}"]`)).toBeVisible();
    held.release();
    await expect(page.getByRole('navigation', { name: 'Main' })).toBeVisible();
    await expect(page.locator('#shell')).toHaveCount(0);
    await expect(page.getByRole('main')).toContainText('leaves');
    expect(await jumps(page)).toBeLessThan(0.1);
  });
}

test('a visitor sees the frame of signing in', async ({ page }) => {
  await watchJumps(page);
  const held = await hold(page, PROGRAM);
  await page.goto('/', { waitUntil: 'commit' });
  await expect(page.locator('#shell [data-shell="signin"]')).toBeVisible();
  held.release();
  await expect(page.getByRole('heading', { name: 'Welcome' })).toBeVisible();
  expect(await jumps(page)).toBeLessThan(0.1);
});

test('each screen that waits shows a frame of what will come', async ({ page, signIn }) => {
  await signIn('linh');
  const held = await hold(page, /\/api\/v1\/(me|rewards)/);
  for (const path of ['/', '/rewards', '/rewards/small-coffee', '/use', '/activity', '/code']) {
    await page.goto(path);
    await expect(page.getByRole('status').filter({ hasText: 'Loading…' }), path).toBeAttached();
    await expect(page.locator('main .skeleton').first(), path).toBeVisible();
  }
  held.release();
});

/** Adds up layout shifts, as the Core Web Vital CLS does. */
async function watchJumps(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const shifts: { value: number; of: string }[] = [];
    Object.assign(globalThis, { shifts });
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries() as unknown as { value: number; hadRecentInput: boolean }[]) {
        if (!entry.hadRecentInput) shifts.push({ value: entry.value, of: '' });
      }
    }).observe({ type: 'layout-shift', buffered: true });
  });
}

async function jumps(page: Page): Promise<number> {
  return page.evaluate(() => {
    const { shifts } = globalThis as unknown as { shifts: { value: number }[] };
    return shifts.reduce((sum, { value }) => sum + value, 0);
  });
}
