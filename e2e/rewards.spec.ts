import { expect, test } from './fixtures.js';
import type { Locator, Page } from '@playwright/test';

test.beforeEach(async ({ signIn }) => signIn('linh'));

test('searching finds a reward, and what is not there can be undone', async ({ page }) => {
  await page.goto('/rewards');
  await expect(reward(page, 'Small coffee')).toBeVisible();
  const search = page.getByRole('searchbox', { name: 'Search the rewards' });
  await search.fill('honey');
  await expect(rewards(page)).toHaveCount(1);
  await expect(reward(page, 'Honey from the roof')).toBeVisible();

  await search.fill('zeppelin');
  await expect(page.getByRole('heading', { name: 'Nothing like that' })).toBeVisible();
  await page.getByRole('button', { name: 'Show everything' }).click();
  await expect(reward(page, 'Small coffee')).toBeVisible();
  await expect(search).toHaveValue('');
});

test('a kind narrows the rewards until it is let go', async ({ page }) => {
  await page.goto('/rewards');
  const experiences = page.getByRole('button', { name: 'Experiences' });
  await experiences.click();
  await expect(experiences).toHaveAttribute('aria-pressed', 'true');
  await expect(rewards(page)).toHaveCount(4);
  await expect(reward(page, 'Tasting evening')).toBeVisible();
  await experiences.click();
  await expect(experiences).toHaveAttribute('aria-pressed', 'false');
  await expect(reward(page, 'Small coffee')).toBeVisible();
});

test('a word, a kind and what is ready narrow together', async ({ page }) => {
  await page.goto('/rewards');
  const search = page.getByRole('searchbox', { name: 'Search the rewards' });
  await search.fill('delivery');
  await page.getByRole('button', { name: 'Delivery' }).click();
  await page.getByRole('button', { name: 'Ready now' }).click();
  await expect(search).toHaveValue('delivery');
  await expect(reward(page, 'Delivery by cargo bike')).toBeVisible();
  await expect(reward(page, 'Small coffee')).toHaveCount(0);
  await expect(reward(page, 'A vegetable box, delivered')).toHaveCount(0);
});

test('ready now and soon tell apart what one can have', async ({ page }) => {
  await page.goto('/rewards');
  await page.getByRole('button', { name: 'Ready now' }).click();
  await expect(reward(page, 'Honey from the roof')).toHaveCount(0);
  await expect(reward(page, 'Small coffee')).toBeVisible();
  await page.getByRole('button', { name: 'Soon' }).click();
  await expect(reward(page, 'Small coffee')).toHaveCount(0);
  await expect(reward(page, 'Honey from the roof')).toContainText('50 to go, €5 of shopping');
  await page.getByRole('button', { name: 'All', exact: true }).click();
  await expect(reward(page, 'Small coffee')).toBeVisible();
  await expect(reward(page, 'Honey from the roof')).toBeVisible();
});

test('rewards come in the order asked for', async ({ page }) => {
  await page.goto('/rewards');
  const order = page.getByRole('combobox', { name: 'Order' });
  // Money off comes first, and what is over last, in any order.
  const ordered = rewards(page).filter({ hasNotText: /Money off, any amount|anniversary cake/ });
  const costs = async () => {
    const texts = await ordered.allTextContents();
    return texts.map((text) => Number(/([\d,]+)\sleaves/.exec(text)?.[1]?.replace(',', '')));
  };
  const extremes = async () => {
    const found = await costs();
    return [found[0], found.at(-1)];
  };
  await order.selectOption('Fewest points first');
  await expect.poll(extremes).toEqual([50, 5900]);
  const ascending = await costs();
  expect(ascending).toEqual([...ascending].sort((a, b) => a - b));
  await order.selectOption('Most points first');
  await expect.poll(extremes).toEqual([5900, 50]);
  await order.selectOption('By name');
  await expect(ordered.first()).toContainText('10% off one basket');
  await expect(rewards(page).last()).toContainText('A slice of anniversary cake');
});

test('a reward that one can have says what it costs, what it is worth and what one keeps', async ({ page }) => {
  await page.goto('/rewards/small-coffee');
  const main = page.getByRole('main');
  await expect(page.getByRole('heading', { name: 'Small coffee', level: 1 })).toBeVisible();
  await expect(main.getByText('You have enough for this')).toBeVisible();
  await expect(main.getByText('You would keep 1,140 leaves.')).toBeVisible();
  await expect(main.getByText('€2.40 in the shop')).toBeVisible();
  await expect(main.getByRole('listitem').filter({ hasText: 'Costs' })).toContainText('110 leaves');
  await expect(main.getByRole('listitem').filter({ hasText: 'What these points are worth at the till' })).toContainText('€0.55');
});

test('every condition is written as large as everything else', async ({ page }) => {
  await page.goto('/rewards/tasting-evening');
  await expect(page.getByRole('heading', { name: 'Conditions' })).toBeVisible();
  for (const condition of [
    'One code is one seat.',
    'It takes place at Harbour, every second Thursday at 19:00.',
    'Everything is without alcohol and without meat.',
    'If you cannot come, tell us the day before and your leaves come back.',
  ]) {
    await expectBodySize(page.getByText(condition));
  }
});

const notYet: { id: string; why: string[] }[] = [
  { id: 'city-honey', why: ['You have 1,250 leaves. 50 leaves are missing: about €5.00 of shopping.'] },
  { id: 'twenty-percent-off', why: ['This is for Gold members. The home screen shows how to get there.'] },
  {
    id: 'bread-baking-morning',
    why: ['This is for Gold members.', 'You have 1,250 leaves. 2,950 leaves are missing: about €295.00 of shopping.'],
  },
  { id: 'enamel-mug', why: ['All of them have been taken.'] },
  { id: 'anniversary-cake', why: ['This reward has ended.'] },
  { id: 'bottled-cold-brew', why: ['You can have it from 7 December 2026.'] },
];

for (const { id, why } of notYet) {
  test(`${id} says why one cannot have it yet`, async ({ page }) => {
    await page.goto(`/rewards/${id}`);
    for (const sentence of why) await expectBodySize(page.getByRole('main').getByText(sentence));
    await expect(page.getByText('You have enough for this')).toHaveCount(0);
  });
}

test('the catalogue says in a few words what one cannot have', async ({ page }) => {
  await page.goto('/rewards');
  await expect(reward(page, 'Enamel mug')).toContainText('All gone');
  await expect(reward(page, '20% off one basket')).toContainText('For Gold members');
  await expect(reward(page, 'A slice of anniversary cake')).toContainText('Ended');
  await expect(reward(page, 'Cold brew to take along')).toContainText('From 7 Dec');
});

test('whatever the shop writes is shown as it is, and an unknown kind as a plain reward', async ({ page }) => {
  const written = { title: '<b>Half & half</b>', kind: 'hologram', image_url: null, conditions: ['<i>One</i> "per" visit'] };
  await page.route('**/api/v1/rewards/small-coffee', async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, json: { ...(await answer.json()), ...written } });
  });
  await page.route('**/api/v1/rewards?*', async (route) => {
    const answer = await route.fetch();
    const { items, next } = await answer.json();
    await route.fulfill({ response: answer, json: { items: [{ ...items[0], ...written }, ...items.slice(1)], next } });
  });
  await page.route('**/api/v1/quotes', async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, json: { ...(await answer.json()), conditions: written.conditions } });
  });
  await page.goto('/rewards');
  await reward(page, '<b>Half & half</b>').getByRole('link').click();
  await expect(page.getByRole('heading', { name: '<b>Half & half</b>', level: 1 })).toBeVisible();
  await expect(page.getByText('<i>One</i> "per" visit')).toBeVisible();
  await page.unrouteAll({ behavior: 'wait' });
});

test.describe('a reward that is gone', () => {
  test.use({ expectedErrors: /404 .*\/api\/v1\/rewards\// });

  test('says so and shows the others', async ({ page }) => {
    await page.goto('/rewards/never-was');
    await expect(page.getByRole('heading', { name: 'This reward is gone' })).toBeVisible();
    await page.getByRole('link', { name: 'All rewards' }).click();
    await expect(reward(page, 'Small coffee')).toBeVisible();
  });
});

for (const way of ['the way back of the screen', 'the way back of the browser']) {
  test(`${way} leads to the place and the filter that one left`, async ({ page }) => {
    await page.goto('/rewards');
    const free = page.getByRole('button', { name: 'Free', exact: true });
    await free.click();
    await expect(rewards(page)).toHaveCount(15);
    const last = rewards(page).last();
    await last.scrollIntoViewIfNeeded();
    const place = await page.evaluate(() => scrollY);
    expect(place).toBeGreaterThan(200);

    await last.getByRole('link').click();
    await expect(page.getByRole('heading', { name: 'Conditions' })).toBeVisible();
    await expect.poll(() => page.evaluate(() => scrollY)).toBe(0);

    if (way.endsWith('browser')) await page.goBack();
    else await page.getByRole('link', { name: 'Back' }).click();
    await expect(free).toHaveAttribute('aria-pressed', 'true');
    await expect(rewards(page)).toHaveCount(15);
    await expect.poll(() => page.evaluate(() => scrollY)).toBe(place);
  });
}

function rewards(page: Page): Locator {
  return page.getByRole('main').getByRole('listitem');
}

function reward(page: Page, title: string): Locator {
  return rewards(page).filter({ has: page.getByText(title, { exact: true }) });
}

async function expectBodySize(text: Locator): Promise<void> {
  await expect(text).toBeVisible();
  const [own, body] = await text.evaluate((element) =>
    [element, document.body].map((of) => getComputedStyle(of).fontSize),
  );
  expect(own).toBe(body);
}
