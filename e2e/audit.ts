import lighthouse, { type Result } from 'lighthouse';

/** What Lighthouse judges a page by. */
export const CATEGORIES = ['performance', 'accessibility', 'best-practices', 'seo'] as const;

type Options = {
  /** What the browser kept from earlier visits stays, as for somebody who comes back. */
  keep?: boolean;
  only?: readonly string[];
};

/** How often a visit is tried that Lighthouse could not record, as happens on a busy machine. */
const TRIES = 3;

/** Has Lighthouse look at a page as its mid-range phone on a slow network does, in a browser that listens at a port. */
export async function audit(url: string, port: number, { keep = false, only = CATEGORIES }: Options = {}): Promise<Result> {
  let failure = 'no result';
  for (let tries = 0; tries < TRIES; tries++) {
    const result = await lighthouse(url, {
      port,
      output: 'json',
      logLevel: 'silent',
      onlyCategories: [...only],
      formFactor: 'mobile',
      disableStorageReset: keep,
    });
    if (result && !result.lhr.runtimeError) return result.lhr;
    failure = result?.lhr.runtimeError?.message ?? failure;
  }
  throw new Error(`Lighthouse: ${failure}`);
}

/** The figures of one visit: milliseconds, and what came over the network. */
export function figures({ audits }: Result) {
  const of = (id: string) => audits[id]?.numericValue ?? NaN;
  return {
    firstPaint: of('first-contentful-paint'),
    largestPaint: of('largest-contentful-paint'),
    blocked: of('total-blocking-time'),
    speed: of('speed-index'),
    kilobytes: of('total-byte-weight') / 1000,
  };
}
