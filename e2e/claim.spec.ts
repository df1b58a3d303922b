import { askOnlyWhenPressed } from './fixtures.js';
import { expect, test } from './shop.js';
import type { APIRequestContext, Page } from '@playwright/test';

test('a purchase that the till missed is found by its receipt, and stands in the activity', async ({ page, signIn, request, a11y }) => {
  await signIn('linh');
  await buy(request, 'R-5001', 1840);
  await page.goto('/activity');
  await page.getByRole('link', { name: 'Missing purchase' }).click();
  await expect(page.getByRole('heading', { name: 'A purchase is missing', level: 1 })).toBeFocused();
  await a11y.audit();
  await fill(page, 'R-5001', '18.40');
  await page.getByRole('button', { name: 'Look for it' }).click();
  await expect(page.getByRole('status').filter({ hasText: 'Found: 184\u00a0leaves are yours' })).toBeFocused();
  await expect(page.getByRole('listitem').filter({ hasText: 'R-5001' })).toContainText('Found');
  await a11y.audit();
  await page.getByRole('link', { name: 'See them' }).click();
  await expect(page.getByRole('listitem').filter({ hasText: '€18.40' })).toContainText('+184');

  // The same receipt again is the same answer, and no second purchase.
  await page.goto('/claim');
  await fill(page, 'R-5001', '18.40');
  await page.getByRole('button', { name: 'Look for it' }).click();
  await expect(page.getByText('Found: 184\u00a0leaves are yours')).toBeVisible();
  await page.goto('/activity');
  await expect(page.getByRole('listitem').filter({ hasText: '€18.40' })).toHaveCount(1);
});

test('each field says what is wrong with it, and takes the focus', async ({ page, signIn, a11y }) => {
  await signIn('linh');
  await page.goto('/claim');
  const send = page.getByRole('button', { name: 'Look for it' });
  const [receipt, total, day] = [page.getByLabel('Number on the receipt'), page.getByLabel(/What you paid/), page.getByLabel('Day')];
  await send.click();
  await expect(page.getByText('Please type the number that stands on the receipt.')).toBeVisible();
  await expect(receipt).toBeFocused();
  await expect(receipt).toHaveAttribute('aria-invalid', 'true');
  await a11y.audit();
  await receipt.fill('R-1');
  for (const wrong of ['', 'much', '0']) {
    await total.fill(wrong);
    await send.click();
    await expect(page.getByText('Please type an amount, such as 2.50.')).toBeVisible();
    await expect(total).toBeFocused();
  }
  await total.fill('18.40');
  for (const wrong of ['2026-11-22', '2026-11-06']) {
    await day.fill(wrong);
    await send.click();
    await expect(page.getByText('Please choose a day of the last 14 days.')).toBeVisible();
    await expect(receipt).toHaveValue('R-1');
  }
});

test('a purchase that no till has told of yet is waited for', async ({ page, signIn, request }) => {
  await signIn('olga');
  await page.goto('/claim');
  await fill(page, 'R-5002', '4.20');
  await page.getByRole('button', { name: 'Look for it' }).click();
  await expect(page.getByText('We keep looking')).toBeVisible();
  await expect(page.getByRole('listitem').filter({ hasText: 'R-5002' })).toContainText('Looking');
  await buy(request, 'R-5002', 420);
  // The screen learns of it by itself.
  await expect(page.getByRole('listitem').filter({ hasText: 'R-5002' })).toContainText('Found');
  await expect(page.getByText('We keep looking')).toHaveCount(0);
});

test('a paused member is told, and nothing is asked', async ({ page, signIn }) => {
  await signIn('pavel');
  await page.goto('/claim');
  await expect(page.getByText('Your membership is paused')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Look for it' })).toHaveCount(0);
});

test.describe('what is refused or lost', () => {
  test.use({ expectedErrors: /net::ERR_|422/ });

  test('another sum or another member learns nothing', async ({ page, signIn, request }) => {
    await signIn('linh');
    await buy(request, 'R-5003', 990);
    await page.goto('/claim');
    await fill(page, 'R-5003', '9.91');
    await page.getByRole('button', { name: 'Look for it' }).click();
    await expect(page.getByRole('alert')).toContainText('That does not fit');
    await page.getByLabel(/What you paid/).fill('9.90');
    await page.getByRole('button', { name: 'Look for it' }).click();
    await expect(page.getByText('Found: 99\u00a0leaves are yours')).toBeVisible();

    await page.context().clearCookies();
    await signIn('reza');
    await page.goto('/claim');
    await fill(page, 'R-5003', '9.90');
    await page.getByRole('button', { name: 'Look for it' }).click();
    await expect(page.getByRole('alert')).toContainText('That does not fit');
  });

  test('a lost answer makes no second claim', async ({ page, signIn, request }) => {
    await askOnlyWhenPressed(page);
    await signIn('reza');
    await buy(request, 'R-5004', 1000);
    await page.goto('/claim');
    await fill(page, 'R-5004', '10');
    const keys: (string | undefined)[] = [];
    await page.route('**/api/v1/me/claims', async (route) => {
      const asked = route.request();
      if (asked.method() !== 'POST') return route.continue();
      keys.push(asked.headers()['idempotency-key']);
      const answer = await route.fetch();
      return keys.length === 1 ? route.abort() : route.fulfill({ response: answer });
    });
    await page.getByRole('button', { name: 'Look for it' }).click();
    await expect(page.getByRole('alert')).toContainText('No connection');
    await expect(page.getByLabel('Number on the receipt')).toHaveValue('R-5004');
    await page.getByRole('button', { name: 'Look for it' }).click();
    await expect(page.getByText(/^Found: [\d,]+\u00a0leaves are yours$/)).toBeVisible();
    expect(keys).toEqual([keys[0], keys[0]]);
    const { items } = await (await page.request.get('/api/v1/me/claims')).json();
    expect(items.filter((claim: { receipt: string }) => claim.receipt === 'R-5004')).toHaveLength(1);
  });
});

/** What somebody bought without saying who they are. */
async function buy(request: APIRequestContext, receipt: string, minor: number): Promise<void> {
  const answer = await request.post('/api/v1/purchases', {
    headers: { authorization: 'Bearer demo-till-key', 'idempotency-key': receipt },
    data: { external_id: receipt, store: 'main', occurred_at: '2026-11-21T09:30:00Z', total: { minor, currency: 'EUR' } },
  });
  expect(answer.status(), await answer.text()).toBe(201);
}

async function fill(page: Page, receipt: string, total: string): Promise<void> {
  await page.getByLabel('Which shop').selectOption('Main Street');
  await page.getByLabel('Number on the receipt').fill(receipt);
  await page.getByLabel(/What you paid/).fill(total);
}
