import { askOnlyWhenPressed, expect, test, waitForNextTry } from './fixtures.js';

test('the rule is worked on my last purchase, and a change says what it means for me', async ({ page, signIn, a11y }) => {
  await signIn('linh');
  await page.goto('/');
  await page.getByRole('link', { name: 'The programme and its terms' }).click();
  await expect(page.getByRole('heading', { name: 'The programme', level: 1 })).toBeFocused();
  await expect(page.getByRole('heading', { name: '€1 spent gives 10 leaves. 100 leaves are worth €0.50.' })).toBeVisible();
  const worked = page.getByRole('listitem');
  await expect(worked.filter({ hasText: /^You paid/ })).toContainText('€8.50');
  await expect(worked.filter({ hasText: /^You got/ })).toContainText('85 leaves');
  await expect(worked.filter({ hasText: /^They are worth/ })).toContainText('€0.42');
  await expect(worked.filter({ hasText: /^Usable from/ })).toContainText('50 leaves · €0.25');
  await expect(worked.filter({ hasText: /^New ones wait/ })).toContainText('14 days');
  await expect(worked.filter({ hasText: /^They are good for/ })).toContainText('12 months');

  await expect(page.getByText('New from 1 July 2027')).toBeVisible();
  await expect(page.getByText('Your 1,250 leaves are worth €6.25 today and €7.50 then.')).toBeVisible();
  await a11y.audit();
});

test('a change of the rule and of how long points are good is said in my numbers', async ({ page, signIn }) => {
  await signIn('linh');
  await page.route('**/api/v1/programme', async (route) => {
    const answer = await route.fetch();
    const programme = await answer.json();
    const earning = { points: 8, per_money: { minor: 100, currency: 'EUR' } };
    const change = { effective_from: '2027-02-28T23:00:00Z', text: 'Something changes.', earning, points_valid_months: 24 };
    await route.fulfill({ response: answer, json: { ...programme, points_valid_months: null, announced_changes: [change] } });
  });
  await page.goto('/programme');
  await expect(page.getByText('New from 1 March 2027')).toBeVisible();
  await expect(page.getByText('Your last purchase of €8.50 gave you 85 leaves. With the new rule it gives 68 leaves.')).toBeVisible();
  await expect(page.getByText('What you get from then on is good for 24 months.')).toBeVisible();
  await expect(page.getByRole('listitem').filter({ hasText: /^They are good for/ })).toContainText('as long as you like');
});

test('one finds the terms with their versions, the shops and whom to ask', async ({ page, signIn }) => {
  await signIn('linh');
  await page.goto('/programme');
  await expect(page.getByText('We announce every change here at least 30 days before it takes effect.').first()).toBeVisible();
  await expect(page.getByText('Version 2, since 1 January 2026')).toBeVisible();
  await expect(page.getByText('You can use your leaves from 50 on; before, it was from 100.').first()).toBeVisible();
  await page.getByText('Version 1, since').click();
  const programme = await page.request.get('/api/v1/programme/terms');
  const [, first] = (await programme.json()).items;
  await expect(page.getByRole('group').getByText(first.items[0])).toBeVisible();

  const shop = page.getByRole('listitem').filter({ has: page.getByRole('heading', { name: 'Main Street' }) });
  await expect(shop).toContainText('Hauptstraße 112, 10827 Berlin');
  await expect(shop).toContainText('Every day 7:00 to 20:00');
  await expect(shop.getByRole('link')).toHaveAttribute('href', 'tel:+493023125110');
  await expect(page.getByRole('link', { name: 'mail@brightleaf.example' })).toBeVisible();
});

test('who has not agreed to the new terms is told so calmly, reads what is new, and agrees', async ({ page, signIn, a11y }) => {
  await signIn('siti');
  await page.goto('/');
  await expect(page.getByText('€35.39', { exact: true })).toBeVisible();
  await expect(page.getByText('There are new terms')).toBeVisible();
  await page.getByRole('link', { name: 'Read them' }).click();
  const notice = page.getByRole('region').or(page.locator('section')).filter({ has: page.getByRole('button', { name: 'I agree' }) });
  await expect(notice).toContainText('You can use your leaves from 50 on; before, it was from 100.');
  await expect(notice).toContainText('Whatever you choose, your points stay as they are.');
  await a11y.audit();
  await page.getByRole('button', { name: 'I agree' }).click();
  await expect(page.getByRole('status').filter({ hasText: 'Thank you. You agreed to version 2.' })).toBeVisible();
  await expect(page.getByRole('button', { name: 'I agree' })).toHaveCount(0);
  for (const path of ['/', '/you']) {
    await page.goto(path);
    await expect(page.getByText('Siti').first()).toBeVisible();
    await expect(page.getByText('There are new terms')).toHaveCount(0);
  }
  await page.goto('/');
  await expect(page.getByText('€35.39', { exact: true })).toBeVisible();
});

test.describe('when the earlier terms do not arrive', () => {
  test.use({ expectedErrors: /ERR_FAILED/ });

  const TERMS = '**/api/v1/programme/terms';

  test.beforeEach(async ({ page, signIn }) => {
    await signIn('linh');
    await page.route(TERMS, (route) => route.abort());
  });

  test('those that hold are there all the same, and the others come when asked for again', async ({ page }) => {
    await askOnlyWhenPressed(page);
    await page.goto('/programme');
    await expect(page.getByText('The earlier terms did not arrive.')).toBeVisible();
    await expect(page.getByText('Version 2, since 1 January 2026')).toBeVisible();
    await page.unroute(TERMS);
    await page.getByRole('button', { name: 'Try again' }).click();
    await expect(page.getByText('Version 1, since')).toBeVisible();
  });

  test('the others are asked for again by itself', async ({ page }) => {
    await page.goto('/programme');
    await expect(page.getByText('The earlier terms did not arrive.')).toBeVisible();
    await page.unroute(TERMS);
    await waitForNextTry(page);
    await expect(page.getByText('Version 1, since')).toBeVisible();
  });
});
