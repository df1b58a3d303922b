import { test as base, expect } from '@playwright/test';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { By, type WebDriver, type WebElement } from 'selenium-webdriver';
import { Server } from '../server.js';
import { Driver } from './engines.js';

export { expect };

type TestFixtures = {
  /** The wallet in a browser that was never used before. */
  wallet: Wallet;
};

type WorkerFixtures = {
  /** The real API with the sample and the built wallet, on the day on which the browsers are. */
  server: Server;
  driver: Driver;
};

export const test = base.extend<TestFixtures, WorkerFixtures>({
  server: [
    async ({}, use) => {
      const folder = await mkdtemp(join(tmpdir(), 'loyalty-wallet-'));
      const server = new Server(join(folder, 'loyalty.db'));
      try {
        await server.start();
        await use(server);
      } finally {
        await server.stop();
        await rm(folder, { recursive: true, force: true });
      }
    },
    { scope: 'worker' },
  ],

  driver: [
    async ({}, use, { project }) => {
      const driver = await Driver.start(project.name);
      await use(driver);
      await driver.stop();
    },
    { scope: 'worker', timeout: 60_000 },
  ],

  wallet: async ({ driver, server }, use, info) => {
    const browser = await driver.open();
    try {
      await use(new Wallet(browser, server));
      if (info.status !== info.expectedStatus) {
        await info.attach('screen', { body: Buffer.from(await browser.takeScreenshot(), 'base64'), contentType: 'image/png' });
      }
    } finally {
      await browser.quit();
    }
  },
});

/** Where each kind of element is looked for; its name is then asked of the engine itself. */
const KINDS = {
  button: 'button, [role="button"]',
  disclosure: 'summary',
  field: 'input',
  heading: 'h1, h2, h3',
  image: '[role="img"], img',
  link: 'a[href]',
};

type Kind = keyof typeof KINDS;

/** What a person sees and does in the wallet, in words that every engine understands. */
export class Wallet {
  constructor(
    readonly browser: WebDriver,
    private readonly server: Server,
  ) {}

  async open(path: string): Promise<void> {
    await this.browser.get(this.server.url + path);
  }

  /** Waits for something of this name, as the engine tells it to a screen reader. */
  async find(kind: Kind, name: string | RegExp): Promise<WebElement> {
    let found: WebElement | undefined;
    await expect(async () => {
      found = await this.#look(kind, name);
      expect(found, `${kind} ${name}, beside ${await this.text()}`).toBeDefined();
    }).toPass({ timeout: 10_000, intervals: [100] });
    return found!;
  }

  async tap(kind: Kind, name: string | RegExp): Promise<void> {
    // What is drawn anew meanwhile is tapped at the next try.
    await expect(async () => {
      const element = await this.find(kind, name);
      try {
        await element.click();
      } catch (failure) {
        // Some drivers think that what lies under the bar of the bottom is in sight. A thumb would move it.
        await this.browser.executeScript('arguments[0].scrollIntoView({ block: "center", behavior: "instant" })', element);
        throw failure;
      }
    }).toPass({ timeout: 10_000, intervals: [300] });
  }

  async type(field: string, text: string): Promise<void> {
    await (await this.find('field', field)).sendKeys(text);
  }

  /** Waits until the page says this. */
  async sees(text: string | RegExp): Promise<void> {
    const said = expect.poll(() => this.text());
    await (typeof text === 'string' ? said.toContain(text) : said.toMatch(text));
  }

  /** Waits until the page says something of this form, and tells what. */
  async reads(form: RegExp): Promise<string> {
    let found: string | undefined;
    await expect.poll(async () => (found = form.exec(await this.text())?.[0])).toBeDefined();
    return found!;
  }

  /** Whether this engine has something of this name. */
  async has(feature: string): Promise<boolean> {
    return this.browser.executeScript('return arguments[0] in window', feature);
  }

  /** Waits until the wallet's files are kept for when there is no network. */
  async isKept(): Promise<void> {
    const state = () =>
      this.browser.executeScript('return "serviceWorker" in navigator ? navigator.serviceWorker.controller?.state : "impossible"');
    await expect.poll(state, { timeout: 20_000 }).toBe('activated');
  }

  /** All that can be read on the page, with single spaces. */
  async text(): Promise<string> {
    const text: string = await this.browser.executeScript('return document.body.innerText');
    return text.replace(/\s+/g, ' ');
  }

  /** Signs a member in as people do, with the code that a demo shows. */
  async signIn(member: string): Promise<void> {
    await this.open('/');
    await this.type('E-mail address', `${member}@brightleaf.example`);
    await this.tap('button', 'Send me a code');
    await this.find('field', 'Six digits');
    await this.tap('button', 'Use this code');
    await this.find('heading', 'Home');
  }

  /** What the API answers this browser. */
  async ask<T>(path: string): Promise<T> {
    return this.browser.executeAsyncScript(
      'const [path, tell] = arguments; fetch(`/api/v1${path}`).then((answer) => answer.json()).then(tell, (error) => tell(String(error)))',
      path,
    );
  }

  async #look(kind: Kind, name: string | RegExp): Promise<WebElement | undefined> {
    const elements = await this.browser.findElements(By.css(KINDS[kind]));
    // WebKit has no name for what is not shown, and nobody has one for what was drawn anew meanwhile.
    const names = await Promise.all(elements.map((element) => element.getAccessibleName().catch(() => '')));
    return elements[names.findIndex((found) => {
      const words = found.replace(/\s+/g, ' ').trim();
      return typeof name === 'string' ? words === name : name.test(words);
    })];
  }
}
