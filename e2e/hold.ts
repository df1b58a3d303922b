import type { Page, Route } from '@playwright/test';

/** Keeps requests waiting until they are released, or refused as by a network that is gone. */
export async function hold(page: Page, url: RegExp): Promise<{ release: () => void; refuse: () => void }> {
  let answer = (_: boolean) => {};
  const isReleased = new Promise<boolean>((resolve) => (answer = resolve));
  await page.route(url, async (route: Route) => {
    const answered = (await isReleased) ? route.continue() : route.abort();
    // A page that was left meanwhile waits for nothing any more.
    await answered.catch(() => {});
  });
  return { release: () => answer(true), refuse: () => answer(false) };
}
