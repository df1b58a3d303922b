import type { Server } from '../server.js';
import { expect, test, type Wallet } from './wallet.js';

type Status = { balance: { available: number; worth: { minor: number } } };

/** What is to scan or to read out on the member's code: twelve digits of the member, and eight that change. */
const CODE = /(?:\d{4}\s){3}\d{4}\s\d{4}(?!\d)/;

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
    // Where no browser asks whether to put the wallet on the home screen, You says how it is done.
    if (name === 'You' && !(await wallet.has('onbeforeinstallprompt'))) {
      await wallet.tap('disclosure', 'Android');
      await wallet.sees('Choose “Add to Home screen” or “Install”.');
    }
  }
});

test('spend and undo: points become a voucher, and come back', async ({ wallet }) => {
  await wallet.signIn('linh');
  const before = await available(wallet);
  await wallet.tap('link', 'Use it');
  await wallet.find('heading', 'Money off at the till');
  await expect.poll(() => wallet.text()).not.toContain('your points are worth');
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

test('code: the till knows the member by it once, with and without a connection', async ({ wallet, server }) => {
  await wallet.signIn('linh');
  await wallet.tap('link', 'My code');
  await wallet.find('image', 'QR code for the till');
  await wallet.find('image', 'Bar code for the till');
  const code = await wallet.reads(CODE);
  expect(await identified(server, code)).toBe('Linh');
  expect(await identified(server, code)).toBeUndefined();

  await server.stop();
  await wallet.tap('link', 'Home');
  await wallet.tap('link', 'My code');
  await wallet.find('image', 'QR code for the till');
  await expect(async () => expect(await wallet.reads(CODE)).not.toBe(code)).toPass({ timeout: 40_000, intervals: [500] });
  const later = await wallet.reads(CODE);
  await server.start();
  expect(await identified(server, later)).toBe('Linh');
});

test('offline: the installed wallet opens with what was known, and goes on by itself', async ({ wallet, server }) => {
  await wallet.signIn('linh');
  const { balance } = await wallet.ask<Status>('/me/status');
  await wallet.tap('link', 'My code');
  await wallet.reads(CODE);
  await wallet.isKept();
  // Through the worker once, so that everything of home has been seen.
  await wallet.open('/');
  await wallet.sees(euros(balance.worth.minor));

  await server.stop();
  await wallet.browser.get('about:blank');
  await wallet.open('/');
  await wallet.sees(euros(balance.worth.minor));
  await wallet.sees('Showing what was known at');
  await wallet.open('/code');
  await wallet.find('image', 'QR code for the till');
  await wallet.reads(CODE);

  await server.start();
  await wallet.open('/');
  await wallet.sees(euros(balance.worth.minor));
  await expect.poll(() => wallet.text()).not.toContain('Showing what was known at');
});

/** Whom the till finds by what was shown to it. */
async function identified(server: Server, code: string): Promise<string | undefined> {
  const answer = await fetch(`${server.url}/api/v1/counter/identify`, {
    method: 'POST',
    headers: { authorization: 'Bearer demo-till-key', 'content-type': 'application/json' },
    body: JSON.stringify({ code: code.replace(/\D/g, '') }),
  });
  return ((await answer.json()) as { name?: string }).name;
}
