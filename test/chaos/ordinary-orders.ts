import { randomUUID } from 'node:crypto';
import { expect } from '@jest/globals';
import { z } from 'zod';
import { eventually } from '#testkit';
import { Buyer, inParallel, type OrderState, type ShopClient } from '#shop-kit';
import { type Market, refund } from './trade.js';

const CUP = { sku: 'chaos.CUP', priceMinor: 500 };
const SAUCER = { sku: 'chaos.SAUCER', priceMinor: 300 };
/** How many of each there are. */
const SHELF = 1_000_000;
const ORDERED = [
  { sku: CUP.sku, quantity: 2 },
  { sku: SAUCER.sku, quantity: 1 },
];
const TOTAL_MINOR = 2 * CUP.priceMinor + SAUCER.priceMinor;
const ONE_CUP = [{ sku: CUP.sku, quantity: 1 }];

type End = Pick<OrderState, 'status' | 'refundedMinor'> & { reason?: string };
const CANCELLED: End = { status: 'cancelled', reason: 'buyer', refundedMinor: 0 };

/** What a buyer does with an ordinary order, and how it ends. */
const MINDS: readonly ((buyer: Buyer, orderId: string) => Promise<End>)[] = [
  async (buyer, orderId) => {
    await payWhenDue(buyer, orderId);
    return { status: 'paid', refundedMinor: 0 };
  },
  // Its stock may not be reserved yet.
  async (buyer, orderId) => {
    await buyer.cancel(orderId);
    return CANCELLED;
  },
  async (buyer, orderId) => {
    await buyer.untilOrder(orderId, 'awaiting_payment');
    await buyer.cancel(orderId);
    return CANCELLED;
  },
  async (buyer, orderId) => {
    await payWhenDue(buyer, orderId);
    await refund(buyer, orderId, ONE_CUP);
    return { status: 'paid', refundedMinor: CUP.priceMinor };
  },
  async (buyer, orderId) => {
    await payWhenDue(buyer, orderId);
    await refund(buyer, orderId, ONE_CUP);
    await refund(buyer, orderId);
    return { status: 'refunded', refundedMinor: TOTAL_MINOR };
  },
  async (buyer, orderId) => {
    await payWhenDue(buyer, orderId);
    await refund(buyer, orderId);
    return { status: 'refunded', refundedMinor: TOTAL_MINOR };
  },
  async (buyer, orderId) => {
    await buyer.untilOrder(orderId, 'awaiting_payment');
    await buyer.pay(orderId, 'declined');
    await payWhenDue(buyer, orderId);
    return { status: 'paid', refundedMinor: 0 };
  },
  async (buyer, orderId) => {
    await buyer.untilOrder(orderId, 'awaiting_payment');
    await buyer.pay(orderId, 'declined');
    await buyer.cancel(orderId);
    return CANCELLED;
  },
];

/** One ordinary order of each kind, each by a buyer of its own. */
export async function orderAndChangeMind({ shop, onPaid }: Market): Promise<Buyer[]> {
  const run = randomUUID().slice(0, 8);
  return inParallel(MINDS, MINDS.length, async (decide, n) => {
    const buyer = await Buyer.signIn(shop, `orderer-${run}-${n}`);
    const orderId = await buyer.order(ORDERED);
    const end = await decide(buyer, orderId);
    expect(await buyer.untilOrder(orderId, end.status)).toMatchObject(end);
    if (end.status !== 'cancelled') onPaid();
    return buyer;
  });
}

async function payWhenDue(buyer: Buyer, orderId: string): Promise<void> {
  const due = { status: 'awaiting_payment', totalMinor: TOTAL_MINOR };
  expect(await buyer.untilOrder(orderId, 'awaiting_payment')).toMatchObject(due);
  await buyer.pay(orderId);
  expect(await buyer.untilOrder(orderId, 'paid')).toMatchObject({ ...due, status: 'paid' });
}

/** Puts the goods of these orders on sale, before anything goes wrong. */
export async function fillShelf(shop: ShopClient): Promise<void> {
  const token = await shop.asOperator();
  const lines = [CUP, SAUCER].map(
    ({ sku, priceMinor }) => `${sku.slice(6)},${sku},${priceMinor},GBP,${SHELF}`,
  );
  const body = ['code,title,priceMinor,currency,stock', ...lines, ''].join('\n');
  const headers = { 'content-type': 'text/csv' };
  const { body: opened } = await shop.call('POST', '/api/publications?store=chaos', { body, token, headers });
  const { publicationId } = z.object({ publicationId: z.uuid() }).parse(opened);
  await eventually(
    () => shop.get(`/api/publications/${publicationId}`, token),
    view => (view as { status: string }).status === 'published',
  );
}

/**
 * What is missing from the shelf is what the buyers have by their own lists. A buyer whose answer was lost has placed
 * the order twice, and finds both there.
 */
export async function expectShelf(shop: ShopClient, buyers: readonly Buyer[]): Promise<void> {
  const orders = (await inParallel(buyers, 32, buyer => buyer.orders())).flat();
  const items = orders.filter(({ status }) => status !== 'cancelled').flatMap(each => each.items);
  for (const { sku } of [CUP, SAUCER]) {
    const kept = items.filter(item => item.sku === sku).map(({ quantity, refunded }) => quantity - refunded);
    const product = await shop.get(`/api/products/${sku}`);
    expect(product).toMatchObject({ available: SHELF - kept.reduce((sum, count) => sum + count, 0) });
  }
}
