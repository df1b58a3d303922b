import { expect, test } from './fixtures.js';
import type { Page } from '@playwright/test';

test('what is wrong reaches the shop with its entry, and has a number to say', async ({ page, signIn, a11y }) => {
  await signIn('linh');
  await page.goto('/activity');
  await page.getByRole('link', { name: /Returned: Kettle/ }).click();
  const entry = new URL(page.url()).pathname.split('/').at(-1);
  await page.getByRole('link', { name: 'This is wrong' }).click();
  await expect(page.getByRole('heading', { name: 'This is wrong', level: 1 })).toBeFocused();
  await expect(page.getByRole('main')).toContainText('Returned: Kettle');

  const text = page.getByLabel('What is wrong?');
  await page.getByRole('button', { name: 'Send it to the shop' }).click();
  await expect(page.getByText('Please write what is wrong.')).toBeVisible();
  await expect(text).toBeFocused();
  await text.fill('I did not take it back.');
  await expect(page.getByText('Please write what is wrong.')).toHaveCount(0);
  await a11y.audit();
  await page.getByRole('button', { name: 'Send it to the shop' }).click();
  await expect(page.getByRole('status').filter({ hasText: 'The shop has it' })).toBeFocused();
  await a11y.audit();

  const [report] = await reports(page);
  expect(report).toMatchObject({ entry_id: entry, text: 'I did not take it back.', closed_at: null });
  await expect(page.getByRole('status').filter({ hasText: 'The shop has it' })).toContainText(report.reference);
  await expect(page.getByRole('main').getByRole('link', { name: 'mail@brightleaf.example' })).toBeVisible();
});

test.describe('without an answer', () => {
  test.use({ expectedErrors: /net::ERR_|401/ });

  test('what was typed stays, and is told once however often it is sent', async ({ page, signIn }) => {
    await signIn('olga');
    await page.goto('/activity');
    await page.getByRole('main').getByRole('listitem').first().getByRole('link').click();
    await page.getByRole('link', { name: 'This is wrong' }).click();
    const text = page.getByLabel('What is wrong?');
    const send = page.getByRole('button', { name: 'Send it to the shop' });
    await text.fill('The sum is not mine.');
    await page.route('**/api/v1/me/reports', (route) => route.abort());
    await send.click();
    await expect(page.getByRole('alert')).toContainText('No connection');
    await expect(text).toHaveValue('The sum is not mine.');

    // The shop has it, and the answer is lost.
    await page.unroute('**/api/v1/me/reports');
    await page.route('**/api/v1/me/reports', async (route) => {
      await route.fetch();
      await route.abort();
    });
    await send.click();
    await expect(page.getByRole('alert')).toContainText('No connection');
    await page.unroute('**/api/v1/me/reports');

    // Who looks at something else meanwhile finds it again.
    await page.getByRole('link', { name: 'Back', exact: true }).click();
    await page.getByRole('link', { name: 'This is wrong' }).click();
    await expect(text).toHaveValue('The sum is not mine.');
    await send.click();
    await expect(page.getByRole('status').filter({ hasText: 'The shop has it' })).toBeVisible();
    expect(await reports(page)).toHaveLength(1);
  });

  test('a session that ends in the middle keeps what was typed', async ({ page, signIn, context }) => {
    await signIn('reza');
    await page.goto('/activity');
    await page.getByRole('main').getByRole('listitem').first().getByRole('link').click();
    await page.getByRole('link', { name: 'This is wrong' }).click();
    await page.getByLabel('What is wrong?').fill('I was away.');
    await context.clearCookies();
    await page.getByRole('button', { name: 'Send it to the shop' }).click();
    await page.getByLabel('E-mail address').fill('reza@brightleaf.example');
    await page.getByRole('button', { name: 'Send me a code' }).click();
    await page.getByRole('button', { name: 'Use this code' }).click();
    await expect(page.getByLabel('What is wrong?')).toHaveValue('I was away.');
  });
});

type Report = { entry_id: string; reference: string; text: string; closed_at: string | null };

async function reports(page: Page): Promise<Report[]> {
  const answer = await page.request.get('/api/v1/me/reports');
  return (await answer.json()).items;
}
