import { createServer, request as ask, type IncomingMessage, type Server as HttpServer, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { expect, test as base } from './shop.js';

export { expect };

/** What becomes of an answer on its way. */
export type Spoiling =
  /** The network answers in the shop's place, with a page to sign in to it. */
  | 'portal'
  /** The same, by leading to it. */
  | 'portal-redirect'
  /** What stands before the server does not reach it. */
  | 'gateway'
  /** It ends in the middle, and claims to be whole. */
  | 'truncated'
  /** It ends in the middle, as the connection does. */
  | 'cut'
  /** It is JSON of something else. */
  | 'other-shape'
  /** It has nothing in it. */
  | 'empty'
  /** It says that it is something else. */
  | 'other-kind'
  /** It begins, and never ends. */
  | 'endless'
  /** The connection is gone before there is one. */
  | 'dropped';

/** What to spoil: the paths, how, and how many answers; all of them unless told. */
type Rule = { path: RegExp; method?: string; spoiling: Spoiling; left: number };

const HOTEL = '<!doctype html><title>Hotel</title><h1>Welcome to our Wi-Fi</h1>';

/** Stands between the browser and the shop, and does to chosen answers what networks do. */
export class SpoilingProxy {
  #server?: HttpServer;
  #rules: Rule[] = [];
  #held: { path: RegExp; until: Promise<void> }[] = [];
  /** How many seconds its clock is ahead of the shop's. */
  clockAhead = 0;

  constructor(private readonly shop: () => string) {}

  get url(): string {
    return `http://127.0.0.1:${(this.#server!.address() as AddressInfo).port}`;
  }

  async start(): Promise<void> {
    this.#server = createServer((request, response) => void this.#pass(request, response));
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  async stop(): Promise<void> {
    this.#server?.closeAllConnections();
    this.#server?.close();
  }

  /** Spoils answers from now on. */
  spoil(spoiling: Spoiling, path = /^\/api\//, { method, times = Infinity }: { method?: string; times?: number } = {}): void {
    this.#rules.push({ path, method, spoiling, left: times });
    // What is open already, such as the stream of events, would go on.
    if (times === Infinity && !method) this.#server?.closeAllConnections();
  }

  /** Spoils nothing any more. */
  heal(): void {
    this.#rules = [];
  }

  /** Holds answers back until the function that this gives is called. */
  hold(path: RegExp): () => void {
    let release!: () => void;
    const until = new Promise<void>((resolve) => (release = resolve));
    const held = { path, until };
    this.#held.push(held);
    return () => {
      this.#held = this.#held.filter((other) => other !== held);
      release();
    };
  }

  async #pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? '/';
    const rule = this.#rules.find(
      (rule) => rule.left > 0 && rule.path.test(path) && (rule.method ?? request.method) === request.method,
    );
    if (rule) rule.left -= 1;
    if (rule?.spoiling === 'dropped') return void request.socket.destroy();

    const onward = ask(this.shop() + path, { method: request.method, headers: request.headers }, async (answer) => {
      await this.#held.find((held) => held.path.test(path))?.until;
      const headers = { ...answer.headers };
      if (this.clockAhead) headers.date = new Date(Date.parse(headers.date ?? '') + this.clockAhead * 1000).toUTCString();
      if (!rule) {
        response.writeHead(answer.statusCode ?? 500, headers);
        answer.pipe(response);
        return;
      }
      const chunks: Buffer[] = [];
      for await (const chunk of answer) chunks.push(chunk as Buffer);
      // By the shop's clock, which is not this machine's.
      response.sendDate = false;
      if (headers.date) response.setHeader('date', headers.date);
      spoilt(rule.spoiling, answer.statusCode ?? 500, Buffer.concat(chunks), response);
    });
    onward.on('error', () => request.socket.destroy());
    // Compressed, half an answer would be none at all.
    onward.removeHeader('accept-encoding');
    request.pipe(onward);
  }
}

function spoilt(spoiling: Spoiling, status: number, body: Buffer, response: ServerResponse): void {
  const json = { 'content-type': 'application/json' };
  const half = body.subarray(0, Math.floor(body.length / 2));
  switch (spoiling) {
    case 'portal':
      return void response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(HOTEL);
    case 'portal-redirect':
      return void response.writeHead(302, { location: 'http://wifi.hotel.example/login' }).end();
    case 'gateway':
      return void response.writeHead(502, { 'content-type': 'text/html' }).end('<html><h1>502 Bad Gateway</h1></html>');
    case 'truncated':
      return void response.writeHead(status, { ...json, 'content-length': half.length }).end(half);
    case 'cut':
      response.writeHead(status, { ...json, 'content-length': body.length });
      return void response.write(half, () => response.destroy());
    case 'other-shape':
      return void response.writeHead(200, json).end('{"hello":["world"]}');
    case 'empty':
      return void response.writeHead(200, json).end();
    case 'other-kind':
      return void response.writeHead(status, { 'content-type': 'text/plain' }).end(body);
    case 'endless': {
      response.writeHead(200, json);
      const drip = setInterval(() => response.write(' '), 500);
      return void response.on('close', () => clearInterval(drip));
    }
  }
}

/** A browser whose way to the shop is not to be relied on. */
export const test = base.extend<{ network: SpoilingProxy }>({
  network: async ({ shop }, use) => {
    const network = new SpoilingProxy(() => shop.url);
    await network.start();
    await use(network);
    await network.stop();
  },
  baseURL: async ({ network }, use) => use(network.url),
});
