import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { z } from 'zod';
import { type Audit, Buyer, CallFailed, inParallel, type OrderState, type ShopClient } from '#shop-kit';

export interface FlashSale {
  readonly sku: string;
  readonly stock: number;
  readonly shoppers: number;
  /** `async` if left out. */
  readonly mode?: 'async' | 'queue';
  /** How long a winner may take to pay, in seconds; by default, an hour. */
  readonly paymentWindow?: number;
  /** Called with what happens, a line at a time. */
  readonly say: (line: string) => void;
  /** Called when the shoppers are about to click. */
  readonly onRush?: () => void;
  /** Called for each click that is told that it has bought. */
  readonly onSold?: () => void;
  /** Called for each order that is paid. */
  readonly onPaid?: () => void;
}

/** An order that the shop confirmed, with its buyer. */
export interface Win {
  readonly buyer: Buyer;
  readonly orderId: string;
}

/** A flash sale in which every shopper has a final answer. */
export interface Sold {
  readonly campaignId: string;
  readonly buyers: readonly Buyer[];
  /** How many answers there were of each kind: `201`, or the status and the code of the problem. */
  readonly answers: Readonly<Record<string, number>>;
  /** One for each buyer who has bought, in the order of their answers. */
  readonly won: readonly Win[];
  /** Those who clicked again because an answer was lost or not final: one of their clicks may have bought untold. */
  readonly unsure: readonly Buyer[];
  readonly rushMs: number;
}

export interface FlashSaleReport extends Sold {
  readonly paid: number;
  readonly audit: Audit;
}

const Problem = z.object({ code: z.string() });
const Reserved = z.object({ orderId: z.uuid(), status: z.literal('reserved') });
const Campaign = z.object({ stock: z.int(), available: z.int(), reserved: z.int(), sold: z.int() });
export type Campaign = z.output<typeof Campaign>;

/** Every tenth shopper clicks twice; every hundredth also sends an invalid click of one of three kinds. */
const TWICE = 10;
const WRONG = 100;
const PAYING_AT_ONCE = 32;
/** How often winners without an answer look for their order before giving up, and how long they pause, in ms. */
const PATIENCE = 600;
const BREATH_MS = 200;

/** Runs a flash sale from its opening to the audit, over HTTP as shoppers would. */
export async function runFlashSale(shop: ShopClient, sale: FlashSale): Promise<FlashSaleReport> {
  const sold = await sellAndPay(shop, sale);
  sale.say(`${sold.paid} of ${sold.won.length} orders are paid; waiting for everything that follows`);
  return { ...sold, audit: await shop.operator.untilSettled() };
}

/** The same, up to the last payment. What follows from the payments is still in flight. */
export async function sellAndPay(shop: ShopClient, sale: FlashSale): Promise<Omit<FlashSaleReport, 'audit'>> {
  const sold = await sell(shop, sale);
  const settled = await inParallel(sold.won, PAYING_AT_ONCE, async ({ buyer, orderId }) => {
    await buyer.untilOrder(orderId, 'awaiting_payment');
    await buyer.pay(orderId);
    const order = await buyer.untilOrder(orderId, 'paid');
    if (order.status === 'paid') sale.onPaid?.();
    return order;
  });
  return { ...sold, paid: settled.filter(order => order.status === 'paid').length };
}

/** The same, up to the last shopper's answer. */
export async function sell(shop: ShopClient, sale: FlashSale): Promise<Sold> {
  const { sku, stock, shoppers, mode = 'async', paymentWindow = 3_600, say } = sale;
  const campaignId = await shop.operator.openCampaign({ sku, stock, mode, paymentWindow });
  say(`campaign ${campaignId}: ${stock} of ${sku}, one for each buyer`);
  const run = randomUUID().slice(0, 8);
  const buyers = await inParallel(numbers(shoppers), 256, n => Buyer.signIn(shop, `shopper-${run}-${n}`));
  say(`${buyers.length} shoppers have signed in`);

  sale.onRush?.();
  const startedAt = performance.now();
  const { answers, told, unsure } = await rush(shop, campaignId, buyers, sale.onSold);
  const rushMs = Math.round(performance.now() - startedAt);
  say(`all have their answer after ${rushMs} ms: ${tell(answers)}`);
  const won = await withUntold(shop, campaignId, unsure, told);
  return { campaignId, buyers, answers, won, unsure, rushMs };
}

/** What the shop says of a campaign's stock. */
export async function campaignOf(shop: ShopClient, campaignId: string): Promise<Campaign> {
  const path = `/api/campaigns/${campaignId}`;
  const answer = await shop.callPatiently('GET', path);
  if (answer.status !== 200) throw new CallFailed('GET', path, answer);
  return Campaign.parse(answer.body);
}

/**
 * The wins, and those of buyers who were not told. They clicked again and heard that there is no more for them or for
 * anybody; what they bought is among their orders, once it is written. Waits until that is all that is taken.
 */
export async function withUntold(
  shop: ShopClient,
  campaignId: string,
  unsure: readonly Buyer[],
  told: readonly Win[],
): Promise<Win[]> {
  const won = [...told];
  const taken = async () => {
    const { stock, available } = await campaignOf(shop, campaignId);
    return stock - available;
  };
  for (let asked = 0; won.length < (await taken()) && asked < PATIENCE; asked += 1) {
    await setTimeout(BREATH_MS);
    const known = new Set(won.map(({ buyer }) => buyer));
    const others = unsure.filter(buyer => !known.has(buyer));
    await inParallel(others, PAYING_AT_ONCE, async buyer => {
      const mine = (await buyer.orders()).find(
        order => order.origin.campaignId === campaignId && isOpen(order),
      );
      if (mine !== undefined) won.push({ buyer, orderId: mine.orderId });
    });
  }
  return won;
}

function isOpen({ status }: OrderState): boolean {
  return status !== 'cancelled' && status !== 'refunded';
}

/** All shoppers click at once, with the invalid clicks among the valid ones. */
async function rush(
  shop: ShopClient,
  campaignId: string,
  buyers: readonly Buyer[],
  onSold: () => void = () => undefined,
) {
  const answers: Record<string, number> = {};
  const told: Win[] = [];
  const unsure = new Set<Buyer>();
  const note = (status: number, body: unknown) => {
    const code = Problem.safeParse(body).data?.code;
    const kind = code === undefined ? String(status) : `${status} ${code}`;
    answers[kind] = (answers[kind] ?? 0) + 1;
  };
  const click = async (buyer: Buyer) => {
    const { status, body, repeated } = await buyer.click(campaignId);
    note(status, body);
    if (status === 201) {
      told.push({ buyer, orderId: Reserved.parse(body).orderId });
      onSold();
    } else if (repeated) unsure.add(buyer);
  };
  const path = `/api/campaigns/${campaignId}/orders`;
  const wrong = async (n: number, { token }: Buyer) => {
    const { status, body } = await [
      () => shop.callPatiently('POST', path, { body: { quantity: 1 }, token: `${token}x` }),
      () => shop.callPatiently('POST', path, { body: { quantity: -1 }, token }),
      () =>
        shop.callPatiently('POST', `/api/campaigns/${randomUUID()}/orders`, { body: { quantity: 1 }, token }),
    ][n % 3]!();
    note(status, body);
  };
  await Promise.all(
    buyers.flatMap((buyer, n) => [
      click(buyer),
      ...(n % TWICE === 0 ? [click(buyer)] : []),
      ...(n % WRONG === 0 ? [wrong(n / WRONG, buyer)] : []),
    ]),
  );
  return { answers, told, unsure: [...unsure] };
}

function* numbers(count: number): Generator<number> {
  for (let n = 0; n < count; n += 1) yield n;
}

function tell(answers: Readonly<Record<string, number>>): string {
  return Object.entries(answers)
    .sort(([, a], [, b]) => b - a)
    .map(([kind, count]) => `${count} × ${kind}`)
    .join(', ');
}
