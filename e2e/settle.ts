import { expect, type Page, type Request } from '@playwright/test';

/** How long nothing may change until a screen is taken to be done, in milliseconds; more where nobody follows its requests. */
const REST_MS = { followed: 120, otherwise: 400 };
/** What moves by itself, such as a countdown, never rests. */
const PATIENCE_MS = 3_000;

const underWay = new WeakMap<Page, Set<Request>>();

/** Follows from now on what a page asks for, so that it is known when it waits for nothing. */
export function followRequests(page: Page): void {
  const requests = new Set<Request>();
  underWay.set(page, requests);
  page.on('request', (request) => {
    // The stream of events stays open.
    if (request.resourceType() !== 'eventsource') requests.add(request);
  });
  page.on('requestfinished', (request) => requests.delete(request));
  page.on('requestfailed', (request) => requests.delete(request));
}

/** Waits until nothing on the screen is still to come, pictures in sight included. */
export async function settle(page: Page): Promise<void> {
  await expect(page.locator('#shell')).toHaveCount(0);
  await expect(page.locator('.skeleton, [aria-busy="true"]')).toHaveCount(0);
  // What a screen adds later, such as the rewards on the home screen, has no frame to wait for.
  const requests = underWay.get(page);
  const until = Date.now() + PATIENCE_MS;
  do {
    await rest(page, requests ? REST_MS.followed : REST_MS.otherwise);
  } while (requests?.size && Date.now() < until);
  await page.waitForFunction(() => {
    const isInSight = (image: HTMLImageElement) => image.getBoundingClientRect().top < innerHeight;
    return [...document.images].filter(isInSight).every((image) => image.complete);
  });
}

/** Waits until nothing has changed for so long. */
async function rest(page: Page, milliseconds: number): Promise<void> {
  await page.evaluate(
    ([milliseconds, patience]) =>
      new Promise<void>((resolve) => {
        const rested = () => setTimeout(resolve, milliseconds);
        let timer = rested();
        const observer = new MutationObserver(() => {
          clearTimeout(timer);
          timer = rested();
        });
        observer.observe(document.body, { childList: true, subtree: true });
        setTimeout(resolve, patience);
      }),
    [milliseconds, PATIENCE_MS] as const,
  );
}
