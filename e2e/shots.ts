import { expect, test, type MemberName } from './fixtures.js';
import { settle } from './settle.js';
import type { Page } from '@playwright/test';
import { writeFile } from 'node:fs/promises';

/** Every screen, with the members for whom it looks different; without a member, a signed-out visitor sees it. */
const screens: { name: string; path: string; members?: MemberName[] }[] = [
  { name: 'signin', path: '/' },
  { name: 'home', path: '/', members: ['linh', 'amir', 'olga', 'siti', 'pavel', 'reza'] },
  { name: 'rewards', path: '/rewards', members: ['linh'] },
  { name: 'reward', path: '/rewards/:first', members: ['linh'] },
  { name: 'use', path: '/use', members: ['linh', 'olga'] },
  { name: 'vouchers', path: '/vouchers', members: ['linh', 'amir'] },
  { name: 'activity', path: '/activity', members: ['linh', 'siti'] },
  { name: 'entry', path: '/activity/:return', members: ['linh'] },
  { name: 'report', path: '/activity/:return/report', members: ['linh'] },
  { name: 'statement', path: '/statement', members: ['linh'] },
  { name: 'claim', path: '/claim', members: ['linh', 'pavel'] },
  { name: 'code', path: '/code', members: ['linh'] },
  { name: 'you', path: '/you', members: ['linh'] },
  { name: 'profile', path: '/you/profile', members: ['linh'] },
  { name: 'messages', path: '/you/messages', members: ['linh'] },
  { name: 'devices', path: '/you/devices', members: ['linh'] },
  { name: 'leave', path: '/you/leave', members: ['linh'] },
  { name: 'tier', path: '/tier', members: ['linh', 'siti'] },
  { name: 'programme', path: '/programme', members: ['linh', 'siti'] },
  { name: 'card', path: '/card', members: ['linh'] },
  { name: 'join', path: '/join?store=main&ref=FRIEND42' },
  { name: 'voucher', path: '/vouchers/:new', members: ['linh'] },
];

for (const width of [390, 1280]) {
  for (const theme of ['light', 'dark'] as const) {
    for (const language of ['en', 'fa'] as const) {
      test.describe(`${width} ${theme} ${language}`, () => {
        test.use({ viewport: { width, height: width < 900 ? 844 : 800 }, colorScheme: theme });

        for (const { name, path, members } of screens) {
          for (const member of members ?? [undefined]) {
            test(member ? `${name} of ${member}` : name, async ({ page, signIn, prefer }) => {
              if (member) await signIn(member);
              await prefer({ language, theme });
              await open(page, path);
              const title = member && members && members.length > 1 ? `${name}-${member}` : name;
              await growToContent(page);
              await page.screenshot({
                path: `shots/${title}-${width}-${theme}-${language}.png`,
                animations: 'disabled',
              });
            });
          }
        }
      });
    }
  }
}

test('home', { tag: '@readme' }, async ({ page, signIn, prefer }) => {
  await signIn('linh');
  await prefer({ language: 'en', theme: 'light' });
  await open(page, '/');
  await page.screenshot({ path: 'docs/home.png', animations: 'disabled' });
});

/** What the system shows to whoever is about to put the wallet on their home screen; public/manifest.webmanifest names them. */
const offered = [
  { name: 'home-narrow', path: '/', width: 390, height: 844, scale: 2 },
  { name: 'rewards-narrow', path: '/rewards', width: 390, height: 844, scale: 2 },
  { name: 'code-narrow', path: '/code', width: 390, height: 844, scale: 2 },
  { name: 'home-wide', path: '/', width: 1280, height: 800, scale: 1 },
  { name: 'rewards-wide', path: '/rewards', width: 1280, height: 800, scale: 1 },
];

for (const { name, path, width, height, scale } of offered) {
  test.describe(() => {
    test.use({ viewport: { width, height }, deviceScaleFactor: scale });

    test(name, { tag: '@install' }, async ({ page, signIn, prefer }) => {
      await signIn('linh');
      await prefer({ language: 'en', theme: 'light' });
      await open(page, path);
      const picture = await page.screenshot({ animations: 'disabled' });
      await writeFile(`public/screenshots/${name}.webp`, await asWebp(page, picture));
    });
  });
}

/** A picture at a tenth of its bytes, as the browser makes it: on a page of its own, which has no policy. */
async function asWebp(page: Page, picture: Buffer): Promise<Buffer> {
  const blank = await page.context().newPage();
  const url = await blank.evaluate(async (png) => {
    const image = new Image();
    image.src = `data:image/png;base64,${png}`;
    await image.decode();
    const canvas = Object.assign(document.createElement('canvas'), { width: image.width, height: image.height });
    canvas.getContext('2d')?.drawImage(image, 0, 0);
    return canvas.toDataURL('image/webp', 0.9);
  }, picture.toString('base64'));
  return Buffer.from(url.slice(url.indexOf(',') + 1), 'base64');
}

/** Loads a screen until nothing on it is waiting any more. */
async function open(page: Page, path: string): Promise<void> {
  if (path.includes(':first')) {
    const list = await page.request.get(path.startsWith('/rewards') ? '/api/v1/rewards?limit=1' : '/api/v1/me/ledger?limit=1');
    path = path.replace(':first', (await list.json()).items[0].id);
  }
  if (path.includes(':new')) path = path.replace(':new', await aVoucher(page));
  if (path.includes(':return')) {
    const returns = await page.request.get('/api/v1/me/ledger?kind=return&limit=1');
    path = path.replace(':return', (await returns.json()).items[0].id);
  }
  await page.goto(path);
  await settle(page);
}

/** Makes the window as tall as the page, up to a few screens: the bar at its end then hides nothing. */
async function growToContent(page: Page): Promise<void> {
  const { width, height } = page.viewportSize() ?? { width: 390, height: 844 };
  const content = await page.evaluate(() => document.documentElement.scrollHeight);
  await page.setViewportSize({ width, height: Math.min(Math.max(content, height), 4000) });
  await settle(page);
}

/** A voucher that can be used; the first picture makes one. */
async function aVoucher(page: Page): Promise<string> {
  const open = await page.request.get('/api/v1/me/redemptions?state=reserved');
  const [voucher] = (await open.json()).items;
  if (voucher) return voucher.id;
  const post = async (path: string, data: object) => {
    const headers = { origin: new URL(open.url()).origin, 'idempotency-key': path };
    const answer = await page.request.post(`/api/v1${path}`, { data, headers });
    return answer.json();
  };
  const quote = await post('/quotes', { spend: { money: { minor: 250, currency: 'EUR' } } });
  return (await post('/redemptions', { quote_id: quote.quote_id })).id;
}
