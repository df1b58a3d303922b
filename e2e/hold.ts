import type { Page, Route } from '@playwright/test';

/** Keeps requests waiting until they are released. */
export async function hold(page: Page, url: RegExp): Promise<{ release: () => void }> {
  let release = () => {};
  const released = new Promise<void>((resolve) => (release = resolve));
  await page.route(url, async (route: Route) => {
    await released;
    // A page that was left meanwhile waits for nothing any more.
    await route.continue().catch(() => {});
  });
  return { release };
}
