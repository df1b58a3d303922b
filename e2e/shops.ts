import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, signIn, test as base, type MemberName } from './fixtures.js';
import { Server } from './server.js';

export { expect };

type Money = { minor: number; currency: string };

/** What a programme file says, as far as shops differ here. */
type Programme = {
  currency: string;
  point_value: { points: number; money: Money };
  earning: { points: number; per_money: Money };
  tiers: object[];
  points_valid_months: number | null;
  min_spend_points: number;
  theme: { accent: string; logo: string | null };
  earlier_terms: object[];
  announced_changes: object[];
  rewards: { cost_points: number; shop_price?: Money; stock?: number; tier_required?: string; picture?: string }[];
};

type Member = { name: string; history: Deed[] };
type Deed = { what: string; total_minor?: number; amount_minor?: number };

/** What makes a shop another than the sample's. */
export type Shop = {
  /** Its currency, and how many of its minor units are one of the sample's. */
  money?: { currency: string; factor: number };
  /** What else its programme file says. */
  change?: (programme: Programme) => void;
  /** Its members have used nothing yet. */
  isUnused?: boolean;
};

/** Shops of every kind that the wallet must look well in. */
export const SHOPS = {
  dong: { money: { currency: 'VND', factor: 250 } },
  dinar: { money: { currency: 'KWD', factor: 2.5 } },
  plain: {
    change(programme) {
      programme.points_valid_months = null;
      programme.tiers = [];
      for (const reward of programme.rewards) reward.tier_required = undefined;
    },
  },
  far: {
    isUnused: true,
    change(programme) {
      programme.min_spend_points = 20_000;
      for (const reward of programme.rewards) reward.cost_points *= 100;
    },
  },
  soldOut: {
    isUnused: true,
    change(programme) {
      for (const reward of programme.rewards) reward.stock = 0;
    },
  },
} satisfies Record<string, Shop>;

type TestFixtures = {
  /** Opens a shop of its own kind, and signs a member in: Linh, who has something, or Amir, who has nothing yet. */
  open: (shop: Shop, member: MemberName) => Promise<Server>;
};

export const test = base.extend<TestFixtures>({
  // The sample's own server is made only for those who ask for it.
  baseURL: undefined,

  open: async ({ context, now }, use) => {
    const folder = await mkdtemp(join(tmpdir(), 'loyalty-shops-'));
    const server = new Server(join(folder, 'loyalty.db'), now, folder);
    try {
      await use(async (shop, member) => {
        await writeSample(folder, shop);
        await server.start();
        await context.addInitScript(() => localStorage.setItem('lw.signed-in', 'yes'));
        await signIn(context, server, member);
        return server;
      });
    } finally {
      // A page outlives what it is handed to, and would complain of the server that is gone.
      for (const page of context.pages()) await page.close();
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    }
  },
});

/** The built-in sample with what is different about this shop, and without its pictures. */
async function writeSample(folder: string, { money, change, isUnused }: Shop): Promise<void> {
  const read = async (name: string) => {
    const text = await readFile(new URL(`../crates/api/sample/${name}`, import.meta.url), 'utf8');
    return JSON.parse(money ? inMoney(text, money) : text);
  };
  const programme: Programme = await read('programme.json');
  const { members }: { members: Member[] } = await read('members.json');
  const few = members.filter(({ name }) => name === 'Linh' || name === 'Amir');
  if (isUnused) for (const member of few) member.history = member.history.filter(({ what }) => what !== 'spend');
  programme.theme.logo = null;
  for (const reward of programme.rewards) reward.picture = undefined;
  programme.announced_changes = [];
  change?.(programme);
  await mkdir(join(folder, 'media'), { recursive: true });
  await writeFile(join(folder, 'programme.json'), JSON.stringify(programme));
  await writeFile(join(folder, 'members.json'), JSON.stringify({ members: few }));
}

/** A file of the sample with every sum of money in another currency, in words and in figures. */
function inMoney(text: string, { currency, factor }: { currency: string; factor: number }): string {
  const minor = (cents: string | number) => Math.floor(Number(cents) * factor);
  const written = (euros: string, language: string) => {
    const format = new Intl.NumberFormat(language, { style: 'currency', currency, trailingZeroDisplay: 'stripIfInteger' });
    const { maximumFractionDigits = 0 } = format.resolvedOptions();
    return format.format(minor(Math.round(Number(euros) * 100)) / 10 ** maximumFractionDigits);
  };
  const western = (digits: string) =>
    digits.replace(/[۰-۹]/g, (digit) => String('۰۱۲۳۴۵۶۷۸۹'.indexOf(digit))).replace('٫', '.');
  return text
    .replace(/("(?:minor|total_minor|amount_minor)": )(\d+)/g, (_, name, cents) => name + minor(cents))
    .replace(/"EUR"/g, `"${currency}"`)
    .replace(/("totals_minor": )(\[[\d\s,]*\])/g, (_, name, sums) => name + JSON.stringify(JSON.parse(sums).map(minor)))
    .replace(/€(\d+(?:\.\d+)?)/g, (_, euros) => written(euros, 'en'))
    .replace(/([۰-۹٫]+) یورو/g, (_, euros) => written(western(euros), 'fa'));
}
