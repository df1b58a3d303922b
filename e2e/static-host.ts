import { createServer, type Server as HttpServer } from 'node:http';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

const KINDS: Record<string, string> = {
  '.css': 'text/css',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.json': 'application/json',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
  '.webmanifest': 'application/manifest+json',
};

/** A web server that knows nothing of the API and holds the built wallet, set up as docs/hosting.md says. */
export class StaticHost {
  #server?: HttpServer;
  /** Where the wallet finds its API. */
  api = '';

  async start(): Promise<void> {
    this.#server = createServer(async (request, response) => {
      const path = new URL(request.url ?? '/', 'http://localhost').pathname;
      const name = extname(path) ? normalize(path) : '/index.html';
      const folder = process.env.LOYALTY_WALLET_DIR ?? fileURLToPath(new URL('../dist', import.meta.url));
      const content = name === '/config.json' ? JSON.stringify({ api: this.api }) : await readFile(join(folder, name)).catch(() => null);
      // The sample's clock is not this machine's.
      response.sendDate = false;
      response.setHeader('content-security-policy', this.#policy());
      response.setHeader('cross-origin-opener-policy', 'same-origin');
      response.setHeader('x-content-type-options', 'nosniff');
      response.setHeader('cache-control', 'no-cache');
      if (content === null) {
        response.writeHead(404).end();
      } else {
        response.setHeader('content-type', KINDS[extname(name)] ?? 'application/octet-stream');
        response.end(content);
      }
    });
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  /** Every name below `localhost` leads here. */
  url(host: string): string {
    return `http://${host}:${(this.#server!.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server?.closeAllConnections();
    this.#server?.close();
  }

  #policy(): string {
    return [
      "default-src 'none'",
      "script-src 'self' 'wasm-unsafe-eval'",
      "style-src 'self'",
      `img-src 'self' data: ${this.api}`,
      `connect-src 'self' ${this.api}`,
      "manifest-src 'self'",
      "worker-src 'self'",
      "base-uri 'none'",
      "form-action 'self'",
      "frame-ancestors 'none'",
    ].join('; ');
  }
}
