import { expect, type APIRequestContext, type Page } from '@playwright/test';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { prepareZXingModule, readBarcodes } from 'zxing-wasm/reader';

/** What a till's scanner read. */
export type Scanned = { qr: string; barcode: string };

/** What a scanner reads off the screen, which has one code of each kind; ZXing does what a till's would. */
export async function scan(page: Page): Promise<Scanned> {
  // It would fetch its program from somewhere else.
  const program = await readFile(fileURLToPath(import.meta.resolve('zxing-wasm/reader/zxing_reader.wasm')));
  prepareZXingModule({ overrides: { wasmBinary: new Uint8Array(program).buffer } });
  let codes: Scanned | undefined;
  await expect(async () => {
    const found = await readBarcodes(await page.screenshot({ fullPage: true }), { formats: ['QRCode', 'Code128'] });
    expect(found.map(({ format }) => format).sort()).toEqual(['Code128', 'QRCode']);
    const text = (name: string) => found.find(({ format }) => format === name)!.text;
    codes = { qr: text('QRCode'), barcode: text('Code128') };
  }).toPass({ timeout: 7_000 });
  return codes!;
}

/** What the till is told of whoever shows this. */
export async function identify(request: APIRequestContext, code: string): Promise<{ status: number; name?: string }> {
  const headers = { authorization: 'Bearer demo-till-key' };
  const answer = await request.post('/api/v1/counter/identify', { data: { code }, headers });
  return { status: answer.status(), name: (await answer.json()).name };
}
