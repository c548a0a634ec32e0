import { setTimeout } from 'node:timers/promises';
import { z } from 'zod';
import { auditReport, Buyer, inParallel, ShopClient, table } from '#shop-kit';
import { readArguments } from '../command-line/arguments.js';
import type { BadLine } from '../retail/columns.js';
import { type Invoice, readInvoices } from './invoices.js';
import { Purchases } from './purchases.js';

const USAGE =
  'npm run replay -- FILE --store SLUG --speed N [--invoices N] [--at-once N] [--dates day-first|month-first]';

const Arguments = z.object({
  file: z.string('name the file'),
  store: z.string('name the store'),
  speed: z.coerce.number('say how many times faster, as a number').positive('must be above zero'),
  invoices: z.coerce
    .number('must be a number')
    .int('must be a whole number')
    .positive('must be above zero')
    .default(Infinity),
  'at-once': z.coerce.number('must be a number').int().min(1).max(500).default(32),
  dates: z.enum(['day-first', 'month-first'], 'is day-first or month-first').optional(),
});

const NAMES = {
  invoices: 'invoices read',
  empty: '  without goods at a price',
  lines: 'lines left out of them',
  unreadable: 'lines that cannot be read',
  placed: 'orders placed',
  paid: '  paid',
  outOfStock: '  refused: out of stock',
  unknownSku: '  refused: unknown SKU',
  cancellations: 'cancellations (C invoices)',
  matched: '  refunded: all of it was bought before',
  part: '  refunded in part: the rest was not bought in this file',
  none: '  not refunded: none of it was bought in this file',
  refunds: 'refunds, one per order',
  unmatched: 'pieces not bought in this file',
} as const;

/** How many unreadable lines are told one by one. */
const MOST_TOLD = 10;

type Counts = Record<keyof typeof NAMES, number>;

/** Sends the file's invoices through the gateway as orders, in order and rhythm. Counts the outcomes. */
class Replay {
  readonly counts = Object.fromEntries(Object.keys(NAMES).map(name => [name, 0])) as Counts;
  /** How far behind the rhythm it fell, in ms. */
  behindMs = 0;
  private readonly purchases = new Purchases();
  private readonly turns = new Map<string, Promise<void>>();
  private readonly buyers = new Map<string, Promise<Buyer>>();

  constructor(
    private readonly shop: ShopClient,
    private readonly store: string,
    private readonly say: (line: string) => void,
  ) {}

  /** A line that cannot be read: the first few are told with their reasons. */
  readonly leaveOut = ({ line, problem }: BadLine): void => {
    this.counts.unreadable += 1;
    if (this.counts.unreadable <= MOST_TOLD) this.say(`line ${line}: ${problem}`);
  };

  /** The invoices, each when it is due. */
  async *inRhythm(invoices: AsyncIterable<Invoice>, speed: number, limit: number): AsyncGenerator<Invoice> {
    const startedAt = performance.now();
    let first: number | undefined;
    for await (const invoice of invoices) {
      if (this.counts.invoices >= limit) return;
      this.counts.invoices += 1;
      this.counts.lines += invoice.leftOut;
      first ??= invoice.at.getTime();
      const due = startedAt + (invoice.at.getTime() - first) / speed;
      const wait = due - performance.now();
      if (wait > 0) await setTimeout(wait);
      this.behindMs = Math.max(this.behindMs, -wait);
      if (this.counts.invoices % 1_000 === 0) {
        this.say(
          `${invoice.at.toISOString().slice(0, 10)}: ${this.counts.invoices} invoices, ${this.counts.paid} paid`,
        );
      }
      yield invoice;
    }
  }

  /** A customer's invoices are processed one after the other, so that returned goods were bought before. */
  async send(invoice: Invoice): Promise<void> {
    const { customer } = invoice;
    if (customer === '') return this.process(invoice);
    const turn = (this.turns.get(customer) ?? Promise.resolve()).then(() => this.process(invoice));
    this.turns.set(customer, turn);
    await turn;
  }

  private async process(invoice: Invoice): Promise<void> {
    if (invoice.items.size === 0) this.counts.empty += 1;
    else if (invoice.isCancellation) await this.takeBack(invoice);
    else await this.order(invoice);
  }

  private async order(invoice: Invoice): Promise<void> {
    const buyer = await this.buyerOf(invoice);
    const orderId = await buyer.order(this.toItems(invoice.items));
    this.counts.placed += 1;
    const { status, reason } = await buyer.untilOrder(orderId, 'awaiting_payment');
    if (status === 'cancelled') {
      this.counts[reason === 'out_of_stock' ? 'outOfStock' : 'unknownSku'] += 1;
      return;
    }
    await buyer.pay(orderId);
    const paid = await buyer.untilOrder(orderId, 'paid');
    if (paid.status !== 'paid') throw new Error(`order ${orderId} is ${paid.status} after its payment`);
    this.counts.paid += 1;
    this.purchases.add(invoice.customer, { orderId, buyer, items: new Map(invoice.items) });
  }

  private async takeBack(invoice: Invoice): Promise<void> {
    this.counts.cancellations += 1;
    const { returns, unmatched } = this.purchases.take(invoice);
    this.counts.unmatched += unmatched;
    this.counts[returns.length === 0 ? 'none' : unmatched === 0 ? 'matched' : 'part'] += 1;
    for (const { purchase, items } of returns) {
      const { status, body } = await purchase.buyer.refund(purchase.orderId, this.toItems(items));
      if (status !== 200)
        throw new Error(
          `invoice ${invoice.number}: no refund of ${purchase.orderId}: ${JSON.stringify(body)}`,
        );
      this.counts.refunds += 1;
    }
  }

  private toItems(items: ReadonlyMap<string, number>): { sku: string; quantity: number }[] {
    return [...items].map(([code, quantity]) => ({ sku: `${this.store}.${code}`, quantity }));
  }

  /** A known customer signs in once. An invoice without a customer gets its own guest. */
  private buyerOf({ customer, number }: Invoice): Promise<Buyer> {
    if (customer === '') return Buyer.signIn(this.shop, `guest-${this.store}-${number}`);
    let buyer = this.buyers.get(customer);
    if (buyer === undefined)
      this.buyers.set(customer, (buyer = Buyer.signIn(this.shop, `${this.store}-${customer}`)));
    return buyer;
  }
}

const say = (line: string) => process.stdout.write(`${line}\n`);

async function main(): Promise<void> {
  const { file, store, speed, invoices, 'at-once': atOnce, dates } = readArguments(USAGE, 'file', Arguments);
  const shop = await ShopClient.find(process.env, { connections: atOnce });
  await expectProducts(shop, store);
  const replay = new Replay(shop, store, say);
  const startedAt = performance.now();
  await inParallel(
    replay.inRhythm(readInvoices(file, dates, replay.leaveOut), speed, invoices),
    atOnce,
    invoice => replay.send(invoice),
  );
  const seconds = (performance.now() - startedAt) / 1_000;
  const audit = await shop.operator.untilSettled();
  if (!audit.clean || replay.counts.placed + replay.counts.cancellations === 0) process.exitCode = 1;
  const rows = (Object.keys(NAMES) as (keyof Counts)[]).map(name => [NAMES[name], replay.counts[name]]);
  say(table(rows));
  say(
    `in ${seconds.toFixed(1)} s, ${(replay.counts.placed / seconds).toFixed(1)} orders/s; at most ${(replay.behindMs / 1_000).toFixed(1)} s behind the real rhythm × ${speed}`,
  );
  say(`\n${auditReport(audit)}`);
  await shop.close();
}

/** @throws when the store has no products, with what to do */
async function expectProducts(shop: ShopClient, store: string): Promise<void> {
  const listing = await shop.get(`/api/products?limit=1&cursor=${store}.-`);
  const { products } = z.object({ products: z.array(z.object({ sku: z.string() })) }).parse(listing);
  if (products[0]?.sku.startsWith(`${store}.`)) return;
  throw new Error(`store ${store} has no products; run npm run import -- FILE --store ${store} first`);
}

main().catch((error: unknown) => {
  process.stderr.write(`replay: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
