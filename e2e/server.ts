import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** The reference API, serving a sample and the built wallet on a port of its own. */
export class Server {
  #process?: ChildProcess;
  #port = 0;

  constructor(
    private readonly database: string,
    /** When it begins, by its own clock; that of the machine where there is none. */
    private readonly now?: string,
    /** A folder with another sample than the one that is built in. */
    private readonly sample?: string,
    private readonly wallet = process.env.LOYALTY_WALLET_DIR ?? fileURLToPath(new URL('../dist', import.meta.url)),
    /** The origin at which browsers reach it, and the one at which they reach a wallet that is hosted apart. */
    private readonly apart?: { api: string; wallet: string },
  ) {
    this.#port = Number(apart ? new URL(apart.api).port : 0);
  }

  /** Where it listens; the same after a `stop()` and `start()`. */
  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  async start(): Promise<void> {
    const program = process.env.LOYALTY_API_BIN;
    if (!program) throw new Error('LOYALTY_API_BIN names no program: run the journeys with `cargo xtask test`.');

    const child = spawn(
      program,
      [
        'serve',
        '--demo',
        ...['--port', String(this.#port)],
        ...['--database-url', `sqlite://${this.database}?mode=rwc`],
        ...['--wallet-dir', this.wallet],
        ...(this.now ? ['--clock', this.now, '--as-of', this.now.slice(0, 10)] : []),
        ...(this.sample ? ['--sample', this.sample] : []),
        ...(this.apart ? ['--public-url', this.apart.api, '--wallet-origins', this.apart.wallet] : []),
      ],
      { stdio: ['ignore', 'pipe', 'inherit'], env: { LOYALTY_LOG: 'warn', ...process.env } },
    );
    this.#process = child;

    for await (const line of createInterface({ input: child.stdout })) {
      const port = /^listening on http:\/\/\S+:(\d+)/.exec(line)?.[1];
      if (port) {
        this.#port = Number(port);
        child.stdout.resume();
        return;
      }
    }
    throw new Error('the server ended before it listened');
  }

  async stop(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGTERM');
    await once(child, 'exit');
  }
}
