import { randomUUID } from 'node:crypto';
import { DataSource } from 'typeorm';
import {
  BlockBuyer,
  CancelOrder,
  CancelPublication,
  ChangeStock,
  ClosePublication,
  ConfirmReceipt,
  CreateCampaign,
  OpenPublication,
  PausePublication,
  PaymentDue,
  PlaceOrder,
  ProductViewed,
  type PublicationRow,
  RefundOrder,
  ReserveStock,
  ResumePublication,
  StageChunk,
  StartPayment,
} from '#contracts';
import { MessagingClient, Timers } from '#messaging';
import { RequestRefused } from '#requests';
import type { ShopInProcess } from './shop-in-process.js';

type Item = readonly [code: string, quantity: number];

/** What happens to an order after it was placed. */
interface Plan {
  readonly items: readonly Item[];
  readonly then?: 'pay' | 'decline' | 'cancel' | 'expire';
  /** What comes back after the payment: a part of it, and all that is left. */
  readonly refund?: readonly (readonly Item[] | undefined)[];
  readonly receive?: boolean;
}

const ORDINARY: readonly Plan[] = [
  { items: [['TEAPOT', 2], ['MUG', 4]], then: 'pay', receive: true }, // prettier-ignore
  { items: [['TEAPOT', 4], ['CLOCK', 2]], then: 'pay', refund: [[['TEAPOT', 2]], undefined] }, // prettier-ignore
  { items: [['MUG', 2]], then: 'pay', refund: [undefined] },
  { items: [['TEAPOT', 2]], then: 'cancel' },
  { items: [['MUG', 4]], then: 'expire' },
  { items: [['CLOCK', 2]], then: 'decline' },
  { items: [['CLOCK', 999]] },
  { items: [['NOTHING', 2]] },
];

/** What the buyers of a flash sale do. The last one finds nothing left. */
const FLASH: readonly Pick<Plan, 'then' | 'refund'>[] = [
  { then: 'pay' },
  { then: 'pay' },
  { then: 'pay', refund: [undefined] },
  { then: 'pay', refund: [undefined] },
  { then: 'cancel' },
  { then: 'expire' },
  {},
];

const PRODUCTS: readonly (readonly (readonly [code: string, stock: number])[])[] = [
  [['TEAPOT', 50], ['MUG', 60], ['PLATE', 5], ['SPOON', 5]], // prettier-ignore
  [['CLOCK', 40], ['BOARD', 20]], // prettier-ignore
];

/** What the names of those begin with who keep what they have bought in a flash sale. */
export const KEEPER = 'keeper-';

interface Placed extends Omit<Plan, 'items'> {
  readonly orderId: string;
  readonly buyerId: string;
}

const skuOf = (code: string) => `demo.${code}`;
const itemsOf = (items: readonly Item[]) => items.map(([code, quantity]) => ({ sku: skuOf(code), quantity }));

/** A day of the shop: a publication, a flash sale, and ordinary orders with every end that they can have. */
export async function runScenario(shop: ShopInProcess): Promise<void> {
  await publishProducts(shop);
  await shop.quiet();
  const [ordinary, flash] = await Promise.all([
    placeOrders(shop),
    flashSale(shop),
    viewProducts(shop),
    changeStock(shop),
  ]);
  await shop.quiet();
  const placed = [...ordinary, ...flash];
  await Promise.all(placed.map(order => decide(shop, order)));
  await shop.quiet();
  await Promise.all(placed.map(order => goOn(shop, order)));
  await shop.quiet();
}

/** Two parts, the first of which waits for the end of a pause; and a publication that is given up. */
async function publishProducts(shop: ShopInProcess): Promise<void> {
  const { requests } = shop;
  const givenUp = randomUUID();
  await requests.ask(OpenPublication, { publicationId: givenUp, store: 'given-up' });
  await requests.ask(PausePublication, { publicationId: givenUp });
  await requests.ask(StageChunk, { publicationId: givenUp, chunk: 0, rows: rowsOf(0, [['NEVER', 1]]) });
  await shop.quiet();
  await requests.ask(CancelPublication, { publicationId: givenUp });
  const publicationId = randomUUID();
  await requests.ask(OpenPublication, { publicationId, store: 'demo' });
  await requests.ask(PausePublication, { publicationId });
  for (const [chunk, products] of PRODUCTS.entries()) {
    await requests.ask(StageChunk, { publicationId, chunk, rows: rowsOf(chunk, products) });
    // Each part is handed over by a release of its own.
    await shop.quiet();
    if (chunk > 0) continue;
    await requests.ask(ResumePublication, { publicationId });
    await shop.quiet();
  }
  await requests.ask(ClosePublication, { publicationId });
}

function rowsOf(chunk: number, products: (typeof PRODUCTS)[number]): PublicationRow[] {
  return products.map(([code, stock], n) => ({
    line: chunk * 10 + n + 1,
    values: { code, title: `A ${code}`, priceMinor: 1_000 + 150 * n, currency: 'GBP', stock },
  }));
}

async function placeOrders({ requests }: ShopInProcess): Promise<Placed[]> {
  return Promise.all(
    ORDINARY.map(async ({ items, ...plan }, n) => {
      const [orderId, buyerId] = [randomUUID(), `buyer-${n}`];
      await attempt(requests.ask(PlaceOrder, { orderId, buyerId, items: itemsOf(items) }));
      return { ...plan, orderId, buyerId };
    }),
  );
}

async function flashSale({ requests }: ShopInProcess): Promise<Placed[]> {
  const campaignId = randomUUID();
  await attempt(requests.ask(BlockBuyer, { buyerId: 'blocked', reason: 'too quick' }));
  await requests.ask(CreateCampaign, {
    campaignId,
    sku: skuOf('BOARD'),
    stock: 12,
    perUserLimit: 2,
    priceMinor: 700,
    currency: 'GBP',
    startsAt: new Date(Date.now() - 60_000).toISOString(),
    endsAt: new Date(Date.now() + 3_600_000).toISOString(),
    mode: 'async',
    paymentWindow: 1_800,
  });
  const placed = FLASH.map((plan, n) => {
    const keeps = plan.then === 'pay' && plan.refund === undefined;
    return { ...plan, orderId: randomUUID(), buyerId: `${keeps ? KEEPER : 'rushed-'}${n}` };
  });
  const clicks = placed.map(({ orderId, buyerId }) => ({
    reservationId: randomUUID(),
    orderId,
    buyerId,
    quantity: 2,
  }));
  await requests.ask(ReserveStock, { campaignId, clicks, again: false });
  return placed;
}

async function viewProducts(shop: ShopInProcess): Promise<void> {
  const messages = shop.gateway.app.get(MessagingClient);
  const views = ['TEAPOT', 'MUG', 'CLOCK', 'BOARD'].map((code, n) => {
    const view = { buyerId: `buyer-${n}`, sku: skuOf(code), viewedAt: new Date().toISOString() };
    return messages.emitEvent(ProductViewed, view);
  });
  await Promise.all(views);
}

async function changeStock({ requests }: ShopInProcess): Promise<void> {
  for (const by of [6, -2])
    await attempt(
      requests.ask(ChangeStock, { changeId: randomUUID(), sku: skuOf('SPOON'), by, reason: 'counted' }),
    );
}

async function decide(shop: ShopInProcess, { orderId, buyerId, then }: Placed): Promise<void> {
  if (then === 'cancel') await attempt(shop.requests.ask(CancelOrder, { orderId, buyerId }));
  if (then === 'expire') await expire(shop, orderId);
  if (then !== 'pay' && then !== 'decline') return;
  const opened = await attempt(shop.requests.ask(StartPayment, { orderId, buyerId }));
  if (opened === undefined) return;
  await fetch(opened.checkoutUrl, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ outcome: then === 'pay' ? 'paid' : 'declined' }),
  });
  // Whoever was declined gives up.
  if (then === 'decline') await expire(shop, orderId);
}

async function goOn(shop: ShopInProcess, { orderId, buyerId, refund = [], receive }: Placed): Promise<void> {
  for (const items of refund) {
    const request = { orderId, buyerId, refundId: randomUUID(), items: items && itemsOf(items) };
    await attempt(shop.requests.ask(RefundOrder, request));
  }
  if (receive !== true) return;
  // As fulfillment will do it.
  const orders = shop.of('order').app.get(DataSource);
  await orders.query("UPDATE orders SET status = 'shipped' WHERE id = $1 AND status = 'paid'", [orderId]);
  await attempt(shop.requests.ask(ConfirmReceipt, { orderId, buyerId }));
}

/** The time to pay is over: the order's timer, if it has one, is due now. */
async function expire(shop: ShopInProcess, orderId: string): Promise<void> {
  const { app } = shop.of('order');
  await app.get(DataSource).transaction(async tx => {
    const timers = (await tx.query('SELECT FROM messaging.timer WHERE type = $1 AND key = $2 FOR UPDATE', [
      PaymentDue.type,
      orderId,
    ])) as unknown[];
    if (timers.length === 0) return;
    await app.get(Timers).schedule(tx, PaymentDue, [{ event: { orderId }, dueAt: new Date() }]);
  });
}

/** In a broken shop, a buyer may be refused. */
async function attempt<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof RequestRefused) return undefined;
    throw error;
  }
}
