import lighthouse, { type Result } from 'lighthouse';

/** What Lighthouse judges a page by. */
export const CATEGORIES = ['performance', 'accessibility', 'best-practices', 'seo'] as const;

type Options = {
  /** What the browser kept from earlier visits stays, as for somebody who comes back. */
  keep?: boolean;
  only?: readonly string[];
};

/** Has Lighthouse look at a page as its mid-range phone on a slow network does, in a browser that listens at a port. */
export async function audit(url: string, port: number, { keep = false, only = CATEGORIES }: Options = {}): Promise<Result> {
  const result = await lighthouse(url, {
    port,
    output: 'json',
    logLevel: 'silent',
    onlyCategories: [...only],
    formFactor: 'mobile',
    disableStorageReset: keep,
  });
  if (!result || result.lhr.runtimeError) throw new Error(`Lighthouse: ${result?.lhr.runtimeError?.message ?? 'no result'}`);
  return result.lhr;
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
