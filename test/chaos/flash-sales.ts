import { expect } from '@jest/globals';
import { z } from 'zod';
import { eventually } from '#testkit';
import { type Buyer, CallFailed, inParallel, isWrongState, type ShopClient } from '#shop-kit';
import {
  campaignOf,
  sell,
  sellAndPay,
  type Sold,
  type Win,
  withUntold,
} from '../../lab/flash-sale/flash-sale.js';
import { type Market, refund } from './trade.js';

/** More shoppers than stock, so that somebody is told `sold_out`: then every unit was bought. */
export interface Size {
  readonly stock: number;
  readonly shoppers: number;
  /** `async` if left out. */
  readonly mode?: 'async' | 'queue';
}

/** A campaign, and what its buyers have paid for and kept. */
export interface Closed {
  readonly campaignId: string;
  readonly stock: number;
  readonly sold: number;
}

const SKU = 'demo.PHONE';
const PRICE_MINOR = 1_999;
/** The shortest that a campaign may have, in seconds. */
const SHORTEST_WINDOW = 1;
const AT_ONCE = 16;
/** Every answer that a click may end with, the invalid ones included. */
const FINAL = [
  '201',
  '409 sold_out',
  '409 limit_reached',
  '401 invalid_token',
  '400 invalid_input',
  '404 campaign_not_found',
];

const Reserved = z.object({ orderId: z.uuid() });
const Problem = z.object({ code: z.string() });

/** Every winner pays, and every unit is sold. */
export async function sellOut({ shop, ...market }: Market, size: Size): Promise<Closed> {
  const { paid, ...sold } = await sellAndPay(shop, { sku: SKU, ...size, ...market });
  expectSoldOut(sold, size);
  expect(paid).toBe(size.stock);
  return { campaignId: sold.campaignId, stock: size.stock, sold: paid };
}

/** A third of the winners keep, a third cancel, a third return. What comes back is sold again, every unit of it. */
export async function sellTwice(market: Market, size: Size): Promise<Closed> {
  const { shop, say, onRush } = market;
  const first = await sell(shop, { sku: SKU, ...size, say, onRush });
  expectSoldOut(first, size);
  const { campaignId, won, buyers, unsure } = first;
  const minds = [keep, cancel, giveBack];
  await inParallel(won, AT_ONCE, (win, n) => minds[n % minds.length]!(market, win));

  const kept = won.filter((_, n) => minds[n % minds.length] === keep);
  // All has come back when only what is kept is taken; or what a lost click has bought meanwhile.
  const before = await withUntold(shop, campaignId, unsure, kept);
  const winners = new Set([...won, ...before].map(({ buyer }) => buyer));
  const others = buyers.filter(buyer => !winners.has(buyer));
  onRush();
  const second = await buyTheRest(shop, campaignId, others);
  const told = [...before, ...second.won];
  const holding = await withUntold(shop, campaignId, [...unsure, ...second.unsure], told);
  expectEachOnce(holding, size.stock);
  await inParallel(holding.slice(kept.length), AT_ONCE, win => keep(market, win));
  return { campaignId, stock: size.stock, sold: size.stock };
}

/** There is hardly time to pay: half of the winners do not try, the others race against the end of their time. */
export async function sellToDawdlers({ shop, say, onRush, onPaid }: Market, size: Size): Promise<Closed> {
  const sale = { sku: SKU, ...size, say, onRush, paymentWindow: SHORTEST_WINDOW };
  const { campaignId, won } = await sell(shop, sale);
  const unpaid = { status: 'cancelled', reason: 'unpaid', refundedMinor: 0 };
  const ends = await inParallel(won, AT_ONCE, async ({ buyer, orderId }, n) => {
    if (n % 2 === 0) {
      expect(await buyer.untilOrder(orderId, 'paid')).toMatchObject(unpaid);
      return 'cancelled';
    }
    const { status } = await buyer.untilOrder(orderId, 'awaiting_payment');
    if (status === 'awaiting_payment') await payIfInTime(buyer, orderId);
    const end = await buyer.untilOrder(orderId, 'paid');
    if (end.status === 'paid') onPaid();
    else expect(end).toMatchObject(unpaid);
    return end.status;
  });
  const paid = ends.filter(status => status === 'paid').length;
  // Also what was bought by somebody who never heard of it comes back.
  await eventually(
    () => campaignOf(shop, campaignId),
    campaign => campaign.reserved === 0,
  );
  return { campaignId, stock: size.stock, sold: paid };
}

function expectSoldOut({ won, answers }: Sold, { stock }: Size): void {
  expect(FINAL).toEqual(expect.arrayContaining(Object.keys(answers)));
  expectEachOnce(won, stock);
}

function expectEachOnce(won: readonly Win[], count: number): void {
  expect(won).toHaveLength(count);
  expect(new Set(won.map(({ buyer }) => buyer.userId)).size).toBe(count);
  expect(new Set(won.map(({ orderId }) => orderId)).size).toBe(count);
}

async function keep({ onPaid }: Market, { buyer, orderId }: Win): Promise<void> {
  await buyer.untilOrder(orderId, 'awaiting_payment');
  await buyer.pay(orderId);
  const paid = { status: 'paid', totalMinor: PRICE_MINOR, refundedMinor: 0 };
  expect(await buyer.untilOrder(orderId, 'paid')).toMatchObject(paid);
  onPaid();
}

async function cancel(_: Market, { buyer, orderId }: Win): Promise<void> {
  await buyer.untilOrder(orderId, 'awaiting_payment');
  await buyer.cancel(orderId);
  const cancelled = { status: 'cancelled', reason: 'buyer', refundedMinor: 0 };
  expect(await buyer.untilOrder(orderId, 'cancelled')).toMatchObject(cancelled);
}

async function giveBack(market: Market, win: Win): Promise<void> {
  await keep(market, win);
  await refund(win.buyer, win.orderId);
  const refunded = { status: 'refunded', totalMinor: PRICE_MINOR, refundedMinor: PRICE_MINOR };
  expect(await win.buyer.untilOrder(win.orderId, 'refunded')).toMatchObject(refunded);
}

/** They click until nothing is left: a gateway may not have heard yet of what came back. */
async function buyTheRest(shop: ShopClient, campaignId: string, shoppers: readonly Buyer[]) {
  const won: Win[] = [];
  const unsure = new Set<Buyer>();
  await inParallel(shoppers, AT_ONCE, async buyer => {
    const click = async () => {
      const { status, body, repeated } = await buyer.click(campaignId);
      const code = Problem.safeParse(body).data?.code;
      expect(FINAL).toContain(code === undefined ? String(status) : `${status} ${code}`);
      if (status === 201) won.push({ buyer, orderId: Reserved.parse(body).orderId });
      else if (repeated) unsure.add(buyer);
      return code !== 'sold_out' || (await campaignOf(shop, campaignId)).available === 0;
    };
    await eventually(click, final => final);
  });
  return { won, unsure: [...unsure] };
}

async function payIfInTime(buyer: Buyer, orderId: string): Promise<void> {
  try {
    await buyer.pay(orderId);
  } catch (error) {
    if (!(error instanceof CallFailed && isWrongState(error.answer))) throw error;
  }
}
