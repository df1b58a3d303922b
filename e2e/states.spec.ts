import { expect, SHOPS, test } from './shops.js';
import { settle } from './settle.js';
import type { Locator, Page } from '@playwright/test';

/** Every screen on which it shows what kind of shop or member this is. */
const SCREENS = [
  '/',
  '/rewards',
  '/rewards/small-coffee',
  '/use',
  '/activity',
  '/statement',
  '/vouchers',
  '/tier',
  '/programme',
  '/you',
  '/you/leave',
  '/code',
];

/** Those of them that are built otherwise in another kind of shop, and do not only say something else. */
const BUILT_OTHERWISE = ['/', '/rewards', '/rewards/small-coffee', '/use', '/tier', '/programme'];

type Seen = Record<string, string>;

/** Visits every screen; each must have a name, say nothing that only a program understands, and please axe where told. */
async function visit(page: Page, url: string, audit: () => Promise<void>, audited = SCREENS): Promise<Seen> {
  const seen: Seen = {};
  for (const path of SCREENS) {
    await open(page, url + path);
    await expect(page.getByRole('heading', { level: 1 })).toHaveCount(1);
    for (const heading of await page.getByRole('heading').allTextContents()) {
      expect(heading.trim(), `a heading of ${path}`).not.toBe('');
    }
    // Cards that are out of sight are not drawn, and have no text until they are.
    await page.evaluate(() => {
      for (const card of document.querySelectorAll<HTMLElement>('.grid .reward')) card.style.contentVisibility = 'visible';
    });
    const text = (await page.getByRole('main').innerText()).replace(/\s+/g, ' ');
    expect(text, path).not.toMatch(/NaN|Infinity|undefined|null|Invalid|[{}]/);
    if (audited.includes(path)) await audit();
    seen[path] = text;
  }
  return seen;
}

async function open(page: Page, address: string): Promise<void> {
  await page.goto(address);
  await settle(page);
}

/** The ways to use points, wherever there is one. */
const waysToUse = (page: Page): Locator => page.getByRole('main').locator('a[href="/use"], input[type="range"], [data-action="use"]');

// Each takes as long as a whole file elsewhere.
test.describe.configure({ mode: 'parallel' });

test.beforeEach(() => test.slow());

test('paused: everything is seen, and nothing can be used', async ({ page, server, signIn, a11y }) => {
  await signIn('pavel');
  const seen = await visit(page, server.url, async () => {
    await expect(waysToUse(page), page.url()).toHaveCount(0);
    await a11y.audit();
  });
  expect(seen['/']).toContain('€1.17');
  for (const path of ['/', '/rewards', '/use']) {
    expect(seen[path], path).toContain('Your membership is paused');
    expect(seen[path], path).toContain('+49 30 23125 100');
  }
  expect(seen['/rewards/small-coffee']).toContain('As soon as it is active again, you can have this.');
  expect(seen['/activity']).toContain('Shopping, Station');
  expect(seen['/vouchers']).toContain('€2.38 off');
  expect(seen['/you/leave']).not.toContain('Use your points first');
});

test('managed: somebody is named, and all the rest is as for anybody', async ({ page, server, signIn, a11y }) => {
  await signIn('reza');
  const seen = await visit(page, server.url, a11y.audit);
  expect(seen['/']).toContain('Leonie Brandt, Your contact at Brightleaf');
  expect(seen['/use']).toContain('€65.52');
  expect(seen['/rewards']).toContain('Money off, any amount');
});

test('below zero: why, and how it comes back', async ({ page, server, signIn, a11y }) => {
  await signIn('olga');
  const seen = await visit(page, server.url, a11y.audit);
  for (const path of ['/', '/use']) {
    expect(seen[path], path).toContain('40 leaves below zero');
    expect(seen[path], path).toContain('Your next 40 leaves fill it up. That is about €4.00 of shopping.');
  }
  // It takes the debt and the price.
  expect(seen['/rewards/small-coffee']).toContain('150 leaves are missing: about €15.00 of shopping.');
  expect(seen['/you/leave']).toContain('You have no points that would be lost.');
  await open(page, server.url);
  await expect(waysToUse(page)).toHaveCount(0);
});

test('nothing yet: every screen says what comes first', async ({ page, server, signIn, a11y }) => {
  await signIn('amir');
  const seen = await visit(page, server.url, a11y.audit);
  expect(seen['/']).toContain('What you can collect for');
  expect(seen['/']).toContain('50 to go, €5 of shopping');
  expect(seen['/use']).toContain('From 50 leaves on, any amount can be used.');
  expect(seen['/activity']).toContain('Nothing has happened yet');
  expect(seen['/statement']).toContain('Nothing happened in this time.');
  expect(seen['/vouchers']).toContain('No vouchers yet');
  await open(page, `${server.url}/vouchers`);
  await expect(waysToUse(page)).toHaveCount(0);
  await page.getByRole('link', { name: 'All rewards' }).click();
  await page.getByRole('button', { name: 'Ready now' }).click();
  await expect(page.getByRole('heading', { name: 'Nothing within reach yet' })).toBeVisible();
  await page.getByRole('button', { name: 'Show everything' }).click();
  await expect(page.getByText('50 to go, €5 of shopping')).toBeVisible();
});

test('nothing within reach: what is nearest, and how far', async ({ page, open: openShop, a11y }) => {
  const { url } = await openShop(SHOPS.far, 'linh');
  const seen = await visit(page, url, a11y.audit, BUILT_OTHERWISE);
  const { balance } = await (await page.request.get(`${url}/api/v1/me/status`)).json();
  const [nearest, least] = [5_000 - balance.available, balance.available.toLocaleString('en')];
  expect(nearest).toBeGreaterThan(0);
  expect(seen['/']).toContain('Nearly yours');
  expect(seen['/']).toContain(`An extra shot 5,000 leaves €0.60 ${nearest.toLocaleString('en')} to go`);
  expect(seen['/use']).toContain(`You have ${least} leaves. From 20,000 leaves on, any amount can be used.`);
  expect(seen['/use']).toContain('More is on its way: 85 leaves, to use from 2 December on.');
  expect(seen['/rewards']).not.toContain('Money off, any amount');
  await open(page, url);
  await expect(waysToUse(page)).toHaveCount(0);
});

test('everything sold out: that is said, and money off still works', async ({ page, open: openShop, a11y }) => {
  const { url } = await openShop(SHOPS.soldOut, 'linh');
  const seen = await visit(page, url, a11y.audit, BUILT_OTHERWISE);
  expect(seen['/']).toContain('No reward can be had right now');
  expect(seen['/']).toContain('Money off at the till always works.');
  expect(seen['/rewards']).toMatch(/Money off, any amount.*Small coffee 110 leaves €2.40 All gone/);
  expect(seen['/rewards/small-coffee']).toContain('All of them have been taken.');
  expect(seen['/rewards/small-coffee']).not.toContain('Use 110');
  await open(page, `${url}/rewards`);
  await page.getByRole('button', { name: 'Ready now' }).click();
  await expect(page.getByText('All gone')).toHaveCount(0);
  await page.getByRole('link', { name: 'Money off, any amount' }).click();
  await expect(page.getByRole('button', { name: /^Use €/ })).toBeEnabled();
});

test('without expiry and tiers: no end, no ladder, and nothing that leads there', async ({ page, open: openShop, a11y }) => {
  const { url } = await openShop(SHOPS.plain, 'linh');
  const seen = await visit(page, url, a11y.audit, BUILT_OTHERWISE);
  const { balance } = await (await page.request.get(`${url}/api/v1/me/status`)).json();
  expect(seen['/']).toContain(`${balance.available.toLocaleString('en')} leaves`);
  expect(seen['/']).not.toMatch(/expire|What ends first|Silver|Gold|Green/);
  expect(seen['/you']).not.toContain('Your tier');
  expect(seen['/code']).not.toMatch(/Silver|Gold|Green/);
  expect(seen['/tier']).toContain('There is nothing here');
  expect(seen['/programme']).toContain('They are good for as long as you like');
  expect(seen['/rewards']).not.toContain('members');
  for (const path of ['/', '/you', '/activity']) {
    await open(page, url + path);
    await expect(page.locator('a[href="/tier"], a[href*=".ics"]'), path).toHaveCount(0);
  }
  // A purchase long ago, whose points are free and never end.
  await page.getByRole('link', { name: /Shopping, Main Street.*\+210/ }).click();
  await expect(page.getByText('Receipt')).toBeVisible();
  await expect(page.getByText(/until/i)).toHaveCount(0);
  await expect(page.locator('a[href*=".ics"]')).toHaveCount(0);
});

test('in đồng: no decimals, grouped, and each step is a whole point', async ({ page, open: openShop, a11y }) => {
  const { url } = await openShop(SHOPS.dong, 'linh');
  const seen = await visit(page, url, a11y.audit, BUILT_OTHERWISE);
  for (const [path, text] of Object.entries(seen)) expect(text, path).not.toMatch(/₫[\d,]*\.\d|₫\d{4}|[€$]/);
  expect(seen['/']).toContain('₫156,250 1,250 leaves');
  expect(seen['/']).toContain('₫25,000 spent gives 10 leaves. 100 leaves are worth ₫12,500.');
  expect(seen['/rewards/small-coffee']).toContain('₫60,000 in the shop');
  expect(seen['/rewards']).toContain('50 to go, ₫125,000 of shopping');
  await open(page, `${url}/use`);
  const [slider, money] = [page.getByRole('slider'), page.getByLabel('In VND')];
  await expect(page.getByRole('button', { name: '₫100,000', exact: true })).toHaveAttribute('aria-pressed', 'true');
  await expect(money).toHaveValue('100,000');
  await slider.press('ArrowRight');
  await expect(slider).toHaveAttribute('aria-valuetext', /^₫100,125, 801\sleaves$/);
  await slider.press('End');
  await expect(money).toHaveValue('156,250');
  await slider.press('Home');
  await expect(money).toHaveValue('6,250');
  for (const typed of ['50000', '50,000', '50.000']) {
    await money.fill(typed);
    await expect(page.getByLabel('In leaves'), typed).toHaveValue('400');
  }
  await money.fill('a lot');
  await expect(money).toHaveAccessibleDescription('Please type an amount, such as 25,000.');
  await money.fill('50,000');
  await page.getByRole('button', { name: 'Use ₫50,000' }).click();
  await expect(page).toHaveURL(/\/vouchers\/./);
  await expect(page.getByText('₫50,000 off')).toBeVisible();
});

test('in dinar: three decimals everywhere', async ({ page, open: openShop, a11y }) => {
  const { url } = await openShop(SHOPS.dinar, 'linh');
  const seen = await visit(page, url, a11y.audit, BUILT_OTHERWISE);
  for (const [path, text] of Object.entries(seen)) expect(text, path).not.toMatch(/KWD [\d,]+\.(\d{1,2}|\d{4,})(?!\d)|[€$]/);
  const { balance } = await (await page.request.get(`${url}/api/v1/me/status`)).json();
  const worth = (balance.worth.minor / 1000).toFixed(3);
  expect(seen['/']).toContain(`KWD ${worth}`);
  expect(seen['/']).toContain('KWD 0.250 spent gives 10 leaves. 100 leaves are worth KWD 0.125.');
  expect(seen['/rewards']).toContain('50 to go, KWD 1.250 of shopping');
  await open(page, `${url}/use`);
  const [slider, money] = [page.getByRole('slider'), page.getByLabel('In KWD')];
  await expect(money).toHaveValue('1.000');
  await slider.press('End');
  await expect(money).toHaveValue(worth);
  await money.fill('0.5');
  await expect(page.getByLabel('In leaves')).toHaveValue('400');
  await page.getByRole('button', { name: 'Use KWD 0.500' }).click();
  await expect(page).toHaveURL(/\/vouchers\/./);
  await expect(page.getByText('KWD 0.500 off')).toBeVisible();
});
