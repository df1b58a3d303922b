import { askOnlyWhenPressed } from './fixtures.js';
import { identify, scan } from './scanner.js';
import { expect, test } from './shop.js';
import { settle } from './settle.js';
import type { Page } from '@playwright/test';

const NOW = Date.parse('2026-11-21T10:00:00Z');
const SECOND = 1_000;

const qr = (page: Page) => page.getByRole('img', { name: 'QR code for the till' });
const digits = (page: Page) => page.locator('.pass__digits');

/** What somebody at the counter types in: twelve digits of the member, and eight that change. */
async function shownCode(page: Page): Promise<string> {
  await expect(qr(page)).toBeVisible();
  await expect(digits(page)).toHaveText(/^(\d{4}\s){4}\d{4}$/);
  return ((await digits(page).textContent()) ?? '').replace(/\D/g, '');
}

/** The records that the browser keeps of the code, and what it answers to whoever wants the secret. */
function kept(page: Page): Promise<{ key_id: string; member_number: string; exported: string; fields: string[] }[]> {
  return page.evaluate(async () => {
    const isThere = (await indexedDB.databases()).some(({ name }) => name === 'loyalty-wallet');
    if (!isThere) return [];
    const records = await new Promise<Record<string, string>[]>((resolve) => {
      const opening = indexedDB.open('loyalty-wallet');
      opening.onsuccess = () => {
        const all = opening.result.transaction('code-key').objectStore('code-key').getAll();
        all.onsuccess = () => {
          opening.result.close();
          resolve(all.result);
        };
      };
    });
    const told = records.map(async (record) => {
      const key = record.key as unknown as CryptoKey;
      const exported = await crypto.subtle.exportKey('raw', key).then(
        () => 'the secret',
        (error: Error) => error.name,
      );
      const { key_id, member_number } = record as { key_id: string; member_number: string };
      return { key_id, member_number, exported, fields: Object.keys(record).sort() };
    });
    return Promise.all(told);
  });
}

for (const way of ['qr', 'barcode', 'typed'] as const) {
  test(`the till takes the code once (${way})`, async ({ page, signIn, request }) => {
    await signIn('linh');
    await page.goto('/code');
    const typed = await shownCode(page);
    expect(typed.slice(0, 12)).toBe('512102314864');
    const code = way === 'typed' ? typed : (await scan(page))[way];
    expect(await identify(request, code)).toEqual({ status: 200, name: 'Linh' });
    expect((await identify(request, code)).status).toBe(404);
  });
}

test('a photo of it is worth nothing a minute later', async ({ page, signIn, till, request }) => {
  await signIn('linh');
  await page.goto('/code');
  const photo = await shownCode(page);
  await till.moveClock(new Date(NOW + 95 * SECOND).toISOString());
  expect((await identify(request, photo)).status).toBe(404);
});

for (const hours of [-1, 1]) {
  test(`a clock that is wrong by ${hours} h is allowed for`, async ({ page, signIn, request }) => {
    await signIn('linh');
    await page.clock.setSystemTime(NOW + hours * 3_600 * SECOND);
    await page.goto('/');
    await settle(page);
    await page.getByRole('link', { name: 'My code' }).click();
    expect((await identify(request, await shownCode(page))).status).toBe(200);
  });
}

test('nobody can read the secret, and signing out deletes the key', async ({ page, signIn, request }) => {
  await signIn('linh');
  await page.goto('/code');
  const code = await shownCode(page);
  const [record] = await kept(page);
  expect(record).toMatchObject({ member_number: '512102314864', exported: 'InvalidAccessError' });
  expect(record?.fields).toEqual(['key', 'key_id', 'made_at', 'member_number']);

  await page.getByRole('link', { name: 'You', exact: true }).click();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await expect(page.getByLabel('E-mail address')).toBeVisible();
  await expect.poll(() => kept(page)).toEqual([]);
  expect((await identify(request, code)).status, 'the session ended, and its key with it').toBe(404);
});

test('who has the wallet on the home screen has the code before they open it', async ({ page, signIn }) => {
  await page.addInitScript(() => {
    const real = window.matchMedia.bind(window);
    window.matchMedia = (query) => (query.includes('display-mode') ? ({ ...real(query), matches: true } as MediaQueryList) : real(query));
  });
  await signIn('linh');
  await page.goto('/');
  await expect.poll(() => kept(page)).toHaveLength(1);
});

test('whoever comes next has a code of their own', async ({ page, signIn, context, request }) => {
  await signIn('linh');
  const before = await context.newPage();
  await before.goto('/code');
  await shownCode(before);
  // Left open, it would hear that the session ended, and delete the key.
  await before.close();
  await context.clearCookies();
  await signIn('reza');
  // Who is signed in is known once the wallet has asked whether the key still counts, and before it hears that.
  const asked = page.waitForRequest((request) => request.method() === 'GET' && request.url().endsWith('/me/code-keys'));
  const known = page.waitForResponse('**/api/v1/me/status');
  await page.route('**/api/v1/me/status', async (route) => {
    await asked;
    await route.continue();
  });
  await page.route('**/api/v1/me/code-keys', async (route) => {
    if (route.request().method() === 'GET') {
      await (await known).finished();
      await expect(page.getByRole('main')).toContainText('€65.52');
      await expect(digits(page)).toHaveCount(0);
    }
    await route.continue();
  });
  await page.goto('/code');
  await expect(digits(page)).not.toContainText('5121 0231 4864'.replaceAll(' ', '\u00a0'));
  const code = await shownCode(page);
  expect(code).not.toContain('512102314864');
  expect(await identify(request, code)).toMatchObject({ status: 200, name: 'Reza' });
  expect(await kept(page)).toHaveLength(1);
});

test('turned off on the list of devices it says so, and is turned on again', async ({ page, signIn, request, a11y }) => {
  await signIn('linh');
  await page.goto('/you/devices');
  await settle(page);
  await expect(page.getByText('Can show your code')).toHaveCount(0);
  await page.goto('/code');
  const first = await shownCode(page);
  await page.goto('/you/devices');
  await expect(page.getByText('Can show your code')).toBeVisible();
  await a11y.audit();
  await page.getByRole('button', { name: /^Turn off the code: Chrome/ }).click();
  await expect(page.getByText('Can show your code')).toHaveCount(0);
  expect((await identify(request, first)).status).toBe(404);

  await page.getByRole('link', { name: 'My code' }).click();
  await expect(page.getByText('Your code was turned off here')).toBeVisible();
  await expect(page.getByText(/^5121\s0231\s4864$/)).toBeVisible();
  await a11y.audit();
  await page.getByRole('button', { name: 'Turn it on again' }).click();
  const second = await shownCode(page);
  await expect(page.locator('.pass')).toBeFocused();
  expect((await identify(request, second)).status).toBe(200);
});

for (const [language, theme] of [['en', 'light'], ['fa', 'dark']] as const) {
  test(`in ${language} and the ${theme} it is black on white, and says nothing by itself`, async ({ page, signIn, prefer, a11y }) => {
    await prefer({ language, theme });
    await signIn('linh');
    await page.goto('/code');
    await expect(digits(page)).toHaveText(/\d{4}\s\d{4}$/);
    for (const code of [page.locator('.pass .qr'), page.locator('.pass .barcode')]) {
      const [paper, ink] = await code.evaluate((element) => {
        const style = getComputedStyle(element);
        return [style.backgroundColor, style.fill];
      });
      expect([paper, ink]).toEqual(['rgb(255, 255, 255)', 'rgb(0, 0, 0)']);
    }
    await expect(page.locator('.pass').locator('[aria-live], [role="status"], [role="alert"], [role="timer"]')).toHaveCount(0);
    await a11y.audit();
  });
}

for (const language of ['en', 'fa'] as const) {
  test(`in ${language}, text of twice the size on a screen of 320 px loses nothing, and nothing lies on another`, async ({ page, signIn, prefer }) => {
    await prefer({ language });
    await page.setViewportSize({ width: 320, height: 640 });
    await signIn('linh');
    await page.goto('/code');
    await expect(digits(page)).toHaveText(/\d{4}\s\d{4}$/);
    await page.evaluate(() => (document.documentElement.style.fontSize = '200%'));
    await settle(page);
    const parts = ['h1', '.badge', '.pass__who', '.pass .qr', '.pass .barcode', '.pass__left', '.pass__digits > *', '.pass__hint', '.facts li > *'];
    const wrong = await page.evaluate((parts) => {
      const found: string[] = [];
      const all = parts.flatMap((part) => {
        const elements = [...document.querySelectorAll<HTMLElement>(`#main ${part}`)];
        if (elements.length === 0) found.push(`there is no ${part}`);
        return elements.map((element) => ({ part, element }));
      });
      const { clientWidth } = document.documentElement;
      for (const { part, element } of all) {
        // Where its words are, which may be beyond the element itself.
        const words = document.createRange();
        words.selectNodeContents(element);
        for (const box of [element.getBoundingClientRect(), ...words.getClientRects()]) {
          if (box.left < 0 || box.right > clientWidth) found.push(`${part} is beside the screen`);
        }
        element.scrollIntoView({ block: 'center' });
        const { x, y, width, height } = element.getBoundingClientRect();
        const top = document.elementFromPoint(x + width / 2, y + height / 2);
        if (!top || !(element.contains(top) || top.contains(element))) found.push(`${part} is covered by ${top?.outerHTML.slice(0, 100)}`);
      }
      const boxes = all.map(({ part, element }) => ({ part, box: element.getBoundingClientRect() }));
      boxes.forEach((a, at) => {
        for (const b of boxes.slice(at + 1)) {
          const across = Math.min(a.box.right, b.box.right) - Math.max(a.box.left, b.box.left);
          const down = Math.min(a.box.bottom, b.box.bottom) - Math.max(a.box.top, b.box.top);
          if (across > 1 && down > 1) found.push(`${a.part} and ${b.part} lie on each other`);
        }
      });
      return found;
    }, parts);
    expect(wrong).toEqual([]);
    // As large as scanners want it.
    expect((await page.locator('.pass .qr').boundingBox())?.width).toBeGreaterThan(200);
  });
}

test('the screen stays awake while the code is on it', async ({ page, signIn }) => {
  await page.addInitScript(() => {
    const held: string[] = [];
    Object.assign(window, { held });
    const request = async (kind: string) => {
      held.push(kind);
      return { release: async () => void held.pop() };
    };
    Object.defineProperty(navigator, 'wakeLock', { value: { request } });
  });
  await signIn('linh');
  await page.goto('/code');
  await shownCode(page);
  const held = () => page.evaluate(() => (window as unknown as { held: string[] }).held);
  await expect.poll(held).toEqual(['screen']);
  await page.getByRole('link', { name: 'Home' }).click();
  await expect.poll(held).toEqual([]);
});

test.describe('a browser that keeps no keys shows the number', () => {
  const without = {
    'without WebCrypto': () => Object.defineProperty(Crypto.prototype, 'subtle', { value: undefined }),
    'without IndexedDB': () => Object.defineProperty(IDBFactory.prototype, 'open', { value: () => { throw new Error('forbidden'); } }),
  };
  for (const [name, breaks] of Object.entries(without)) {
    test(name, async ({ page, signIn, a11y }) => {
      await page.addInitScript(breaks);
      await signIn('linh');
      await page.goto('/code');
      await expect(page.getByText('This browser cannot make your code')).toBeVisible();
      await expect(page.getByText(/^5121\s0231\s4864$/)).toBeVisible();
      await expect(qr(page)).toHaveCount(0);
      await a11y.audit();
    });
  }
});

test.describe('when something does not arrive', () => {
  test.use({ expectedErrors: /net::ERR_|409 \(Conflict\)|503 \(/ });

  test('a new code comes with each half minute all the same, and it counts', async ({ page, signIn, shop, request }) => {
    await signIn('linh');
    await page.goto('/code');
    const first = await shownCode(page);
    await shop.stop();
    await page.getByRole('link', { name: 'My code' }).focus();
    // Just before the edge.
    await page.clock.setSystemTime(NOW + 28_500);
    expect(await shownCode(page)).toBe(first);
    await expect.poll(() => shownCode(page)).not.toBe(first);
    const second = await shownCode(page);
    await expect(page.getByRole('link', { name: 'My code' })).toBeFocused();

    // Going away and coming back asks nobody either.
    await page.getByRole('link', { name: 'Home' }).click();
    await page.getByRole('link', { name: 'My code' }).click();
    expect(await shownCode(page)).toBe(second);
    await expect(page.getByRole('main').getByText(/€6\.25/)).toBeVisible();
    await shop.start();
    expect((await identify(request, second)).status).toBe(200);
  });

  test('opened first without a server, it is the number, and the code once there is one', async ({ page, signIn, shop, a11y }) => {
    await askOnlyWhenPressed(page);
    await signIn('linh');
    // A screen of the same file was there before.
    await page.goto('/you');
    await settle(page);
    await page.getByRole('link', { name: 'Home', exact: true }).click();
    await expect(page.getByText('€6.25', { exact: true })).toBeVisible();
    await shop.stop();
    await page.getByRole('link', { name: 'My code' }).click();
    await expect(page.getByText('Your code is not ready yet')).toBeVisible();
    await expect(page.getByText(/^5121\s0231\s4864$/)).toBeVisible();
    await a11y.audit();
    await shop.start();
    await page.getByRole('main').getByRole('button', { name: 'Try again' }).first().click();
    await shownCode(page);
  });

  test('the eleventh device is told to turn one off', async ({ page, signIn, a11y }) => {
    await signIn('linh');
    await page.route('**/api/v1/me/code-keys', (route) =>
      route.request().method() === 'POST'
        ? route.fulfill({
            status: 409,
            contentType: 'application/problem+json',
            json: { type: 'about:blank', title: 'Too many', status: 409, code: 'too_many_code_keys', detail: 'ten at most' },
          })
        : route.continue(),
    );
    await page.goto('/code');
    await expect(page.getByText('Too many devices have your code')).toBeVisible();
    await a11y.audit();
    await page.getByRole('main').getByRole('link', { name: 'Your devices' }).click();
    await expect(page.getByRole('heading', { name: 'Your devices', level: 1 })).toBeFocused();
  });
});
