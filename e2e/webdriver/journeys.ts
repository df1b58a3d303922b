import { expect, test, type Wallet } from './wallet.js';

type Status = { balance: { available: number; worth: { minor: number } } };

const euros = (minor: number): string => `€${(minor / 100).toFixed(2)}`;

async function available(wallet: Wallet): Promise<number> {
  return (await wallet.ask<Status>('/me/status')).balance.available;
}

test('sign in: a code leads home, and the session outlives the page', async ({ wallet }) => {
  await wallet.open('/');
  await wallet.find('heading', 'Welcome');
  await wallet.type('E-mail address', 'siti@brightleaf.example');
  await wallet.tap('button', 'Send me a code');
  await wallet.sees(/Your code is \d{3} \d{3}/);
  const [, ...digits] = /Your code is (\d{3}) (\d{3})/.exec(await wallet.text()) ?? [];
  await wallet.type('Six digits', digits.join(''));
  await wallet.sees('Hello Siti');
  await wallet.browser.navigate().refresh();
  await wallet.sees('Hello Siti');
});

test('home: what the points are worth stands first, and every screen is a tap away', async ({ wallet }) => {
  await wallet.signIn('linh');
  const { balance } = await wallet.ask<Status>('/me/status');
  expect(balance.available).toBeGreaterThan(0);
  await wallet.sees(euros(balance.worth.minor));
  await wallet.sees(`${balance.available.toLocaleString('en')} leaves`);
  for (const name of ['Rewards', 'Activity', 'You', 'Home']) {
    await wallet.tap('link', name);
    const heading = await wallet.find('heading', name);
    const focused = await wallet.browser.switchTo().activeElement();
    expect(await focused.getId(), `the focus is on ${name}`).toBe(await heading.getId());
  }
});

test('spend and undo: points become a voucher, and come back', async ({ wallet }) => {
  await wallet.signIn('linh');
  const before = await available(wallet);
  await wallet.tap('link', 'Use it');
  await wallet.tap('button', '€2');
  await wallet.tap('button', 'Use €2.00 now');
  await wallet.find('heading', 'Show this at the till');
  await wallet.find('image', 'QR code for the till');
  expect(await available(wallet)).toBe(before - 400);
  await wallet.tap('button', 'Undo');
  await wallet.tap('button', 'Yes, give it back');
  await wallet.find('heading', 'Given back');
  expect(await available(wallet)).toBe(before);
});
