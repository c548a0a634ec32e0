import type { Event } from './break-handlers.js';
import { alterQuery } from './break-requests.js';
import { type Breakage, mutantsOf } from './breakage.js';
import type { Mutant } from './mutant.js';
import { KEEPER } from './scenario.js';

const from = (kind: string) => (event: Event) => (event.origin as { kind: string }).kind === kind;
const [ordinary, seckill] = [from('ordinary'), from('seckill')];

const MOVES_WHAT_IS_EXPECTED = 'it moves only stock that is in the state it expects';
const ONLY_A_HINT = 'the gateways remember what is sold out only to save a question';
const EVERY_CANCELLATION = 'every cancelled order has exactly one';

const PUBLISH_CHUNK = 'catalog.publish-chunk <- catalog.publication-chunk-staged.v1';
const STORE_PICTURES = 'catalog.store-pictures <- catalog.publication-chunk-registered.v1';
const WRITE_PAGES = 'catalog.write-pages <- catalog.publication-chunk-pictured.v1';
const PUT_ON_SALE = 'catalog.put-on-sale <- catalog.publication-chunk-described.v1';

const PARTS_LEFT = ['parts of publications still to be published: 0'];

/** A step of a publication: what it does not pass on is left. */
const STEP: Breakage = {
  nothing: PARTS_LEFT,
  twice: 'a part that has been through a step does not go through it again',
  half: PARTS_LEFT,
};

const BREAKAGES: Readonly<Record<string, Breakage>> = {
  'catalog.release-chunks <- catalog.publications-due.v1': {
    // What a timer asks for is not lost: the next part that arrives asks too.
    concerns: event => event.at === undefined,
    nothing: PARTS_LEFT,
    twice: 'after a release, nothing is released before its time',
    half: PARTS_LEFT,
    untold: PARTS_LEFT,
  },
  [PUBLISH_CHUNK]: { ...STEP, untold: PARTS_LEFT },
  [STORE_PICTURES]: { ...STEP, untold: PARTS_LEFT },
  [WRITE_PAGES]: { ...STEP, untold: PARTS_LEFT },
  [PUT_ON_SALE]: STEP,
  'catalog.stock-follows-order <- order.placed.v1': {
    concerns: ordinary,
    nothing: ['ordinary orders still waiting for stock: 0'],
    twice: ['every line of an ordinary order that waits for payment has its stock reserved'],
    half: ['ordinary orders still waiting for stock: 0'],
    lessened: [
      'every line of a paid ordinary order has its stock sold',
      'orders whose lines do not add up to their total: 0',
    ],
    untold: ['ordinary orders still waiting for stock: 0'],
  },
  'catalog.stock-follows-order <- order.paid.v1': {
    concerns: ordinary,
    nothing: ['every line of a paid ordinary order has its stock sold'],
    twice: MOVES_WHAT_IS_EXPECTED,
    half: ['every line of a paid ordinary order has its stock sold'],
  },
  'catalog.stock-follows-order <- order.cancelled.v1': {
    concerns: ordinary,
    nothing: [
      'every line of a cancelled ordinary order gave its stock back',
      'every cancelled ordinary order gave its stock back once',
    ],
    twice: MOVES_WHAT_IS_EXPECTED,
    half: ['every cancelled ordinary order gave its stock back once'],
  },
  'catalog.stock-follows-order <- order.refunded.v1': {
    concerns: ordinary,
    nothing: ['every refund of an ordinary order gave its stock back once'],
    twice: [
      'SKUs whose stock does not add up: 0',
      'lines whose returns do not add up: 0',
      'every refund of an ordinary order gave its stock back once',
    ],
    half: ['every refund of an ordinary order gave its stock back once'],
    lessened: ['every refunded line of an ordinary order gave its stock back'],
  },
  'seckill.follow-order <- order.paid.v1': {
    // What comes back is the same whether it was sold or only reserved.
    concerns: event => seckill(event) && (event.buyerId as string).startsWith(KEEPER),
    nothing: ['every paid flash-sale order has its stock sold'],
    twice: MOVES_WHAT_IS_EXPECTED,
    half: ['every paid flash-sale order has its stock sold'],
  },
  'seckill.follow-order <- order.cancelled.v1': {
    untold: ONLY_A_HINT,
    concerns: seckill,
    nothing: ['every given-up flash-sale order gave its stock back once'],
    twice: MOVES_WHAT_IS_EXPECTED,
    half: ['every given-up flash-sale order gave its stock back once'],
  },
  'seckill.follow-order <- order.refunded.v1': {
    untold: ONLY_A_HINT,
    concerns: seckill,
    nothing: ['every given-up flash-sale order gave its stock back once'],
    twice: MOVES_WHAT_IS_EXPECTED,
    half: ['every given-up flash-sale order gave its stock back once'],
  },
  'order.write-reserved <- seckill.reserved.v1': {
    nothing: ['every reservation has exactly one order'],
    twice: ['every reservation has exactly one order'],
    half: ['every reservation has exactly one order'],
    lessened: ['every reservation has exactly one order'],
    untold: ['every placed order has exactly one notice', 'every placed order is counted once'],
    timeless: ['orders that wait for payment without an end: 0'],
  },
  'order.follow-stock <- catalog.stock-reserved.v1': {
    nothing: ['ordinary orders still waiting for stock: 0'],
    twice: 'an order is priced once',
    timeless: ['orders that wait for payment without an end: 0'],
    half: ['ordinary orders still waiting for stock: 0'],
    lessened: ['orders whose lines do not add up to their total: 0'],
  },
  'order.follow-stock <- catalog.stock-rejected.v1': {
    nothing: ['ordinary orders still waiting for stock: 0'],
    twice: 'only an order that waits for stock is cancelled',
    untold: [`${EVERY_CANCELLATION} notice`, `${EVERY_CANCELLATION} merchant delivery`],
    half: ['ordinary orders still waiting for stock: 0'],
  },
  'order.expire-unpaid <- order.payment-due.v1': {
    nothing: ['orders that wait for payment without an end: 0'],
    twice: 'only an order that waits for payment expires',
    untold: [`${EVERY_CANCELLATION} notice`, 'every given-up flash-sale order gave its stock back once'],
    half: ['orders that wait for payment without an end: 0'],
  },
  'order.refund-payment <- order.refund-requested.v1': {
    nothing: ['refunds still due: 0'],
    twice: 'the provider gives back each refund once, by its id',
    half: ['refunds still due: 0'],
    lessened: [
      'each refund is the provider’s, with its amount',
      'the provider gave back as much, in minor units, as the shop',
    ],
  },
  'points.follow-order <- order.paid.v1': {
    nothing: ['every paid order has exactly one points entry', 'every paid order earned its points'],
    twice: ['every paid order has exactly one points entry', 'every paid order earned its points'],
    half: ['every paid order has exactly one points entry'],
    lessened: ['every paid order earned its points'],
    untold: 'nobody keeps books by points.awarded.v1',
  },
  'points.follow-order <- order.refunded.v1': {
    nothing: ['every refund has exactly one points reversal'],
    twice: ['every refund has exactly one points reversal'],
    half: ['every refund has exactly one points reversal'],
    lessened: ['every refunded order lost the points of its refunds'],
  },
  ...noticesOf('order.placed.v1', 'every placed order has exactly one notice'),
  ...noticesOf('order.paid.v1', 'every paid order has exactly one notice'),
  ...noticesOf('order.cancelled.v1', `${EVERY_CANCELLATION} notice`),
  ...noticesOf('order.refunded.v1', 'every refund has exactly one notice'),
  'merchant-notifier.follow-order <- order.paid.v1': always(
    'every paid order has exactly one merchant delivery',
  ),
  'merchant-notifier.follow-order <- order.cancelled.v1': always(`${EVERY_CANCELLATION} merchant delivery`),
  'statistics.count-orders <- order.placed.v1': always('every placed order is counted once'),
  'statistics.count-orders <- order.paid.v1': {
    ...always('every paid order is counted once', 'the sales of every minute are those of its paid orders'),
    lessened: ['the sales of every minute are those of its paid orders'],
  },
  'statistics.count-orders <- order.cancelled.v1': always('every cancelled order is counted once'),
  'statistics.count-orders <- order.refunded.v1': always('every refund is counted once'),
  'recommendation.learn-from-orders <- order.paid.v1': {
    ...always('every paid order is in the buyer profiles once'),
    lessened: ['every profile has what its buyer has paid for'],
  },
  'recommendation.learn-from-views <- behaviour.product-viewed.v1': {
    nothing: ['views that are in no profile: 0'],
    twice: 'after a change of queue there are more views than receipts, so that more are no fault',
    half: ['views that are in no profile: 0'],
  },
};

function noticesOf(type: string, invariant: string): Record<string, Breakage> {
  const lessened = 'a text is compared with what arrived on the telephone, and not with the order';
  return { [`notification.follow-order <- ${type}`]: { ...always(invariant), lessened } };
}

/** The same invariants tell every fault. */
function always(...told: string[]): Breakage {
  return { nothing: told, twice: told, half: told };
}

/** Every way to break a handler of messages. */
export const BROKEN_HANDLERS: readonly Mutant[] = [
  ...Object.entries(BREAKAGES).flatMap(([handler, breakage]) => mutantsOf(handler, breakage)),
  {
    handler: PUBLISH_CHUNK,
    way: 'done for half of its rows',
    told: ['stores whose newest publication lost rows: 0'],
    start: alterQuery(
      'catalog',
      sql => sql.includes('SELECT c.rows'),
      async (query, sql, values) => {
        const staged = (await query(sql, values)) as { rows: unknown[] }[];
        return staged.map(each => ({ ...each, rows: each.rows.filter((_, n) => n % 2 === 0) }));
      },
    ),
  },
  forHalfOfItsRows(STORE_PICTURES, 'INSERT INTO product_picture', 'products without pictures: 0'),
  forHalfOfItsRows(WRITE_PAGES, 'INSERT INTO product_page', 'products without a page: 0'),
  forHalfOfItsRows(PUT_ON_SALE, 'INSERT INTO stock (', 'products that never came on sale: 0'),
];

/** A step of a publication that leaves out every second row. @param statement a part of the statement that writes them */
function forHalfOfItsRows(handler: string, statement: string, told: string): Mutant {
  return {
    handler,
    way: 'done for half of its rows',
    told: [told],
    start: alterQuery(
      'catalog',
      sql => sql.includes(statement),
      (query, sql, values) => query(sql.replace('c.steps = $3', 'c.steps = $3 AND r.line % 2 = 0'), values),
    ),
  };
}
