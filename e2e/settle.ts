import { expect, type Page } from '@playwright/test';

/** Waits until nothing on the screen is still to come, pictures in sight included. */
export async function settle(page: Page): Promise<void> {
  await expect(page.locator('#shell')).toHaveCount(0);
  await expect(page.locator('.skeleton, [aria-busy="true"]')).toHaveCount(0);
  // What a screen adds later, such as the rewards on the home screen, has no frame to wait for. The network is never
  // idle: the stream of events stays open.
  await page.evaluate(
    () =>
      new Promise<void>((resolve) => {
        const rested = () => setTimeout(resolve, 400);
        let timer = rested();
        const observer = new MutationObserver(() => {
          clearTimeout(timer);
          timer = rested();
        });
        observer.observe(document.body, { childList: true, subtree: true });
        // What moves by itself, such as a countdown, never rests.
        setTimeout(resolve, 3000);
      }),
  );
  await page.waitForFunction(() => {
    const isInSight = (image: HTMLImageElement) => image.getBoundingClientRect().top < innerHeight;
    return [...document.images].filter(isInSight).every((image) => image.complete);
  });
}
