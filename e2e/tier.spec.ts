import { expect, test } from './fixtures.js';

test('the ladder says where one is, what is above, and what each tier gives', async ({ page, signIn, a11y }) => {
  await signIn('linh');
  await page.goto('/');
  await page.getByRole('link', { name: 'See all tiers' }).click();
  await expect(page.getByRole('heading', { name: 'Your tier', level: 1 })).toBeFocused();

  const rungs = page.getByRole('listitem').filter({ has: page.getByRole('heading', { level: 3 }) });
  await expect(rungs.getByRole('heading', { level: 3 })).toHaveText(['Gold', 'Silver', 'Green']);
  await expect(rungs.nth(0)).toContainText('785 to go');
  await expect(rungs.nth(0)).toContainText('12 leaves for €1');
  await expect(rungs.nth(0)).toContainText('Rewards that are for gold members only.');
  await expect(rungs.nth(1)).toContainText('You are here');
  await expect(rungs.nth(1)).toHaveAttribute('aria-current', 'step');
  await expect(rungs.nth(2)).toContainText('Reached');

  await expect(page.getByText('785 leaves are missing. That is about €78.50 of shopping.')).toBeVisible();
  await expect(page.getByText('To keep it, 800 leaves have to be there on 3 March 2027. You have 1,215 leaves.')).toBeVisible();
  await expect(page.getByText('That is enough: Silver stays yours.')).toBeVisible();
  await expect(page.getByText('85 leaves are waiting now. They are counted.')).toBeVisible();
  await expect(page.getByText('If you bring something back, the leaves it earned count no more.')).toBeVisible();
  await a11y.audit();
});

test('at the top there is nothing to reach, at the start nothing to lose', async ({ page, signIn }) => {
  await signIn('siti');
  await page.goto('/tier');
  await expect(page.getByRole('heading', { name: 'Gold, the highest' })).toBeVisible();
  await expect(page.getByRole('heading', { name: /How to reach/ })).toHaveCount(0);
  await expect(page.getByRole('heading', { name: 'How to keep Gold' })).toBeVisible();

  await signIn('amir');
  await page.goto('/tier');
  await expect(page.getByText('Green is yours for good.')).toBeVisible();
  await expect(page.getByText('800 leaves are missing.')).toBeVisible();
});

test('a programme without tiers has neither the screen nor a way to it', async ({ page, signIn }) => {
  await signIn('linh');
  await page.route('**/api/v1/programme', async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, json: { ...(await answer.json()), tiers: [] } });
  });
  await page.route('**/api/v1/me/status', async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, json: { ...(await answer.json()), tier: null } });
  });
  await page.goto('/');
  await expect(page.getByText('€6.25', { exact: true })).toBeVisible();
  await expect(page.getByRole('link', { name: 'See all tiers' })).toHaveCount(0);
  await page.goto('/you');
  await expect(page.getByRole('link', { name: 'The programme' })).toBeVisible();
  await expect(page.getByRole('link', { name: 'Your tier' })).toHaveCount(0);
  await page.goto('/tier');
  await expect(page.getByText('There is nothing here').last()).toBeVisible();
  // The programme, which was kept, is still being asked for.
  await page.unrouteAll({ behavior: 'ignoreErrors' });
});
