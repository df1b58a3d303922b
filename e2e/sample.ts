import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Server } from './server.js';

/** The day of the contract's example, on which linh's numbers are exactly those that it names. */
export const NOW = '2026-11-21T10:00:00Z';

/** The name of the variable that says where the sample's data are. */
export const SAMPLE = 'LOYALTY_SAMPLE';

/** Fills a folder with the sample's data, from which every server begins. */
export async function makeSample(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'loyalty-sample-'));
  const server = new Server(join(folder, 'loyalty.db'), NOW);
  await server.start();
  await server.stop();
  return folder;
}

/** The same, once for all workers; gives what cleans up after them. */
export default async function makeSampleForAll(): Promise<() => Promise<void>> {
  const folder = await makeSample();
  process.env[SAMPLE] = folder;
  return () => rm(folder, { recursive: true, force: true });
}
