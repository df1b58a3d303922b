import { expect, test } from './fixtures.js';
import { settle } from './settle.js';
import type { Locator, Page } from '@playwright/test';

/** Every screen of a signed-in member. */
const SCREENS = ['/', '/rewards', '/rewards/city-honey', '/use', '/vouchers', '/activity', '/statement', '/claim', '/code', '/you', '/rewards/a/b'];

/** The screens behind You; their own journeys hold them to axe. */
const BEHIND_YOU = [
  '/you/profile', '/you/address', '/you/messages', '/you/devices', '/you/leave', '/card', '/tier', '/programme',
];

const texts = {
  en: { address: 'E-mail address', send: 'Send me a code', code: 'Six digits', failed: 'No connection' },
  fa: { address: 'نشانی ایمیل', send: 'ارسال کد', code: 'شش رقم', failed: 'اتصال برقرار نیست' },
};

// Each takes as long as a whole file elsewhere.
test.describe.configure({ mode: 'parallel' });

for (const language of ['en', 'fa'] as const) {
  test.describe(`in ${language}`, () => {
    test.use({ expectedErrors: /net::ERR_FAILED/ });

    test('axe finds nothing on any screen, in the light and in the dark', async ({ page, signIn, prefer, a11y }) => {
      test.slow();
      const say = texts[language];
      // What fades from one theme to the other would be looked at half way.
      await page.emulateMedia({ reducedMotion: 'reduce' });
      const audit = async () => {
        for (const colorScheme of ['light', 'dark'] as const) {
          await page.emulateMedia({ colorScheme });
          await a11y.audit();
        }
      };
      await prefer({ language });
      await page.goto('/');
      await expect(page.getByLabel(say.address)).toBeVisible();
      await audit();
      await page.getByLabel(say.address).fill('linh@brightleaf.example');
      await page.getByRole('button', { name: say.send }).click();
      await expect(page.getByLabel(say.code)).toBeVisible();
      await audit();

      await signIn('linh');
      for (const path of SCREENS) {
        await page.goto(path);
        await settle(page);
        await audit();
      }
      for (const member of ['olga', 'pavel', 'reza'] as const) {
        await signIn(member);
        await page.goto('/');
        await settle(page);
        await audit();
      }
      // Nothing is kept of earlier that could be shown instead.
      await page.evaluate(() => localStorage.removeItem('lw.data'));
      await page.route('**/api/v1/me/status', (route) => route.abort());
      await page.goto('/');
      await expect(page.getByRole('heading', { name: say.failed })).toBeVisible();
      await audit();
    });
  });

  test(`in ${language}, text of twice the size fits a screen of 320 px`, async ({ page, signIn, prefer }) => {
    test.slow();
    await prefer({ language });
    await page.setViewportSize({ width: 320, height: 640 });
    await page.goto('/');
    await expect(page.getByLabel(texts[language].address)).toBeVisible();
    await expectNothingBesidePage(page);
    await signIn('linh');
    for (const path of [...SCREENS, ...BEHIND_YOU]) {
      await page.goto(path);
      await settle(page);
      await expectNothingBesidePage(page);
    }
  });
}

test('with the keyboard alone one signs in, looks at a reward and goes back', { tag: '@desktop' }, async ({ page }) => {
  await page.goto('/');
  await expect(page.getByRole('heading', { name: 'Welcome' })).toBeVisible();
  await tabTo(page, page.getByLabel('E-mail address'));
  await page.keyboard.type('linh@brightleaf.example');
  await page.keyboard.press('Enter');
  await expect(page.getByLabel('Six digits')).toBeFocused();
  const shown = await page.getByText(/Your code is/).textContent();
  await page.keyboard.type(shown?.replace(/\D/g, '') ?? '');
  await expect(page.getByText('€6.25', { exact: true })).toBeVisible();

  await page.reload();
  await expect(page.getByText('€6.25', { exact: true })).toBeVisible();
  await page.keyboard.press('Tab');
  await expect(page.getByRole('link', { name: 'Skip to the content' })).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('main')).toBeFocused();
  await page.reload();
  await expect(page.getByText('€6.25', { exact: true })).toBeVisible();

  await tabTo(page, page.getByRole('navigation').getByRole('link', { name: 'Rewards' }));
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { name: 'Rewards', level: 1 })).toBeFocused();
  await expect(page).toHaveTitle('Rewards · Brightleaf');
  await tabTo(page, page.getByRole('link', { name: /^Small coffee/ }));
  await page.keyboard.press('Enter');
  const heading = page.getByRole('heading', { name: 'Small coffee', level: 1 });
  await expect(heading).toBeFocused();
  await tabTo(page, page.getByRole('link', { name: 'Back' }), 'Shift+Tab');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { name: 'Rewards', level: 1 })).toBeFocused();
});

test('signing in puts the focus on the heading of what follows', async ({ page }) => {
  await page.goto('/');
  await page.getByLabel('E-mail address').fill('amir@brightleaf.example');
  await page.getByRole('button', { name: 'Send me a code' }).click();
  await page.getByRole('button', { name: 'Use this code' }).click();
  await expect(page.getByRole('heading', { name: 'Home', level: 1 })).toBeFocused();
});

test('each screen puts the focus on its heading', async ({ page, signIn }) => {
  await signIn('linh');
  await page.goto('/');
  const navigation = page.getByRole('navigation', { name: 'Main' });
  for (const name of ['Rewards', 'My code', 'Activity', 'You', 'Home']) {
    const link = navigation.getByRole('link', { name });
    await link.click();
    await expect(page.getByRole('heading', { name, level: 1 })).toBeFocused();
    await expect(link).toHaveAttribute('aria-current', 'page');
    await expect(page.getByRole('heading', { level: 1 })).toHaveCount(1);
  }
});

async function tabTo(page: Page, target: Locator, key = 'Tab'): Promise<void> {
  await expect(target).toBeVisible();
  const isThere = () => target.evaluate((element) => element === document.activeElement);
  for (let presses = 0; presses < 60 && !(await isThere()); presses++) await page.keyboard.press(key);
  await expect(target).toBeFocused();
}

/** Doubles the text and looks for what then reaches beyond the window; names the innermost elements that do. */
async function expectNothingBesidePage(page: Page): Promise<void> {
  await page.evaluate(() => (document.documentElement.style.fontSize = '200%'));
  const { beyond, culprits } = await page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    const isBeyond = (element: Element) => {
      const { left, right, width } = element.getBoundingClientRect();
      return width > 0 && (left < -1 || right > clientWidth + 1);
    };
    const isShown = (element: Element) => !element.closest('.visually-hidden, .skip-link');
    const all = [...document.querySelectorAll('body *')].filter((element) => isShown(element) && isBeyond(element));
    const innermost = all.filter((element) => ![...element.children].some(isBeyond));
    return { beyond: scrollWidth - clientWidth, culprits: innermost.map((element) => element.outerHTML.slice(0, 120)) };
  });
  expect.soft(beyond, `${page.url()}: ${culprits.slice(0, 5).join('\n')}`).toBeLessThanOrEqual(0);
}
