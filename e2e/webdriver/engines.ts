import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { Builder, type WebDriver } from 'selenium-webdriver';
import { freePort } from '../port.js';

/** What a browser says of an engine that it is, and how it is started. */
type Engine = {
  /** Its WebDriver program, which listens at this port. */
  driver: (port: number) => [program: string, ...parameters: string[]];
  /** What a session asks of it. */
  capabilities: object;
  /** It has no headless mode, so that it needs a screen. */
  needsScreen?: boolean;
};

const program = (name: string, usual: string): string => process.env[name] ?? usual;

/** A sandbox of a browser's own cannot be set up by root. */
const isRoot = process.getuid?.() === 0;

const ENGINES: Record<string, Engine> = {
  chromium: {
    driver: (port) => [program('CHROMEDRIVER', 'chromedriver'), `--port=${port}`],
    capabilities: {
      browserName: 'chrome',
      'goog:chromeOptions': {
        binary: program('CHROMIUM', '/usr/bin/chromium'),
        args: [
          '--headless',
          '--no-sandbox',
          '--disable-gpu',
          '--disable-quic',
          '--no-first-run',
          '--disable-background-networking',
          '--disable-component-update',
          '--disable-sync',
        ],
      },
    },
  },
  firefox: {
    driver: (port) => [program('GECKODRIVER', 'geckodriver'), '--port', String(port), '--log', 'error'],
    capabilities: {
      browserName: 'firefox',
      'moz:firefoxOptions': { binary: program('FIREFOX', '/usr/bin/firefox-esr'), args: ['-headless'] },
    },
  },
  webkit: {
    driver: (port) => [program('WEBKIT_DRIVER', 'WebKitWebDriver'), `--port=${port}`],
    capabilities: {
      browserName: 'MiniBrowser',
      'webkitgtk:browserOptions': { binary: program('MINIBROWSER', 'MiniBrowser'), args: ['--automation'] },
    },
    needsScreen: true,
  },
};

/** The running WebDriver program of one engine, which opens as many browsers as it is asked for. */
export class Driver {
  private constructor(
    private readonly address: string,
    private readonly capabilities: object,
    private readonly processes: ChildProcess[],
  ) {}

  static async start(name: string): Promise<Driver> {
    const engine = ENGINES[name];
    if (!engine) throw new Error(`There is no engine ${name}.`);
    const processes: ChildProcess[] = [];
    const environment: NodeJS.ProcessEnv = { ...process.env, LANGUAGE: 'en_GB', TZ: 'Europe/Berlin' };
    if (isRoot) environment['WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS'] = '1';
    if (engine.needsScreen) {
      // It chooses a number that is free, and prints it.
      const screen = spawn(program('XVFB', 'Xvfb'), ['-displayfd', '1', '-screen', '0', '1280x1024x24', '-nolisten', 'tcp'], {
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      processes.push(screen);
      const [number] = await once(screen.stdout, 'data');
      environment['DISPLAY'] = `:${String(number).trim()}`;
    }
    const port = await freePort();
    const [command, ...parameters] = engine.driver(port);
    processes.push(spawn(command, parameters, { stdio: 'ignore', env: environment }));
    const driver = new Driver(`http://127.0.0.1:${port}`, engine.capabilities, processes);
    await driver.#listens();
    return driver;
  }

  /** Opens a browser with a profile of its own, as wide as a phone where the engine allows that. */
  async open(): Promise<WebDriver> {
    const browser = await new Builder().usingServer(this.address).withCapabilities(this.capabilities).build();
    await browser.manage().setTimeouts({ script: 10_000, pageLoad: 30_000 });
    await browser.manage().window().setRect({ x: 0, y: 0, width: 500, height: 900 });
    return browser;
  }

  async stop(): Promise<void> {
    for (const child of this.processes.toReversed()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill('SIGTERM');
      await once(child, 'exit');
    }
  }

  async #listens(): Promise<void> {
    for (let tries = 0; tries < 100; tries++) {
      const answer = await fetch(`${this.address}/status`).catch(() => undefined);
      if (answer?.ok) return;
      await pause(100);
    }
    throw new Error(`${this.address} does not answer as a WebDriver program does.`);
  }
}
