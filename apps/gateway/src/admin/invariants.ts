import { z } from 'zod';
import type { Audited, Facts, IdSet } from '#contracts';
import type { SubscriptionState } from '#messaging';

export interface Invariant {
  readonly invariant: string;
  readonly holds: boolean;
  readonly figures: Readonly<Record<string, number>>;
}

/** What the outside world has seen of the shop. */
export const Outside = z.object({
  paymentsPaid: z.int(),
  minorPaid: z.number(),
  refunds: z.int(),
  minorRefunded: z.number(),
  callbacksWaiting: z.int(),
  sms: z.int(),
  webhooksPaid: z.int(),
  webhooksCancelled: z.int(),
});
export type Outside = z.output<typeof Outside>;

type AllFacts = Readonly<Record<Audited, Facts>>;

/** [what must hold, whose set, of which service, equals whose, of which service] */
const SAME: readonly [string, Audited, string, Audited, string][] = [
  ['every reservation has exactly one order', 'seckill', 'reservations', 'order', 'reservations ordered'],
  ['every order that holds campaign stock still has it', 'order', 'seckill kept', 'seckill', 'kept'],
  [
    'every given-up flash-sale order gave its stock back once',
    'order',
    'seckill given up',
    'seckill',
    'released',
  ],
  [
    'every cancelled ordinary order gave its stock back once',
    'order',
    'ordinary cancelled',
    'catalog',
    'released',
  ],
  [
    'every refund of an ordinary order gave its stock back once',
    'order',
    'ordinary refunded',
    'catalog',
    'returned',
  ],
  ['every paid order has exactly one points entry', 'order', 'ever paid', 'points', 'awarded'],
  ['every refund has exactly one points reversal', 'order', 'refunded', 'points', 'reversed'],
  ['every paid order has exactly one merchant delivery', 'order', 'ever paid', 'merchant-notifier', 'paid'],
  [
    'every cancelled order has exactly one merchant delivery',
    'order',
    'cancelled',
    'merchant-notifier',
    'cancelled',
  ],
  ['every placed order has exactly one notice', 'order', 'placed', 'notification', 'placed'],
  ['every paid order has exactly one notice', 'order', 'ever paid', 'notification', 'paid'],
  ['every cancelled order has exactly one notice', 'order', 'cancelled', 'notification', 'cancelled'],
  ['every refund has exactly one notice', 'order', 'refunded', 'notification', 'refunded'],
  ['every paid order is in the buyer profiles once', 'order', 'ever paid', 'recommendation', 'profiled'],
  ['every placed order is counted once', 'order', 'placed', 'statistics', 'placed'],
  ['every paid order is counted once', 'order', 'ever paid', 'statistics', 'paid'],
  ['every cancelled order is counted once', 'order', 'cancelled', 'statistics', 'cancelled'],
  ['every refund is counted once', 'order', 'refunded', 'statistics', 'refunded'],
];

/** [what must hold, service, the figure that must be zero] */
const ZERO: readonly [string, Audited, string][] = [
  ['campaigns oversold: 0', 'seckill', 'oversold'],
  ['SKUs oversold: 0', 'catalog', 'oversold'],
  ['per-user limit broken: 0', 'seckill', 'limits broken'],
  ['orders paid without their payment: 0', 'order', 'paid without payment'],
  ['refunds still due: 0', 'order', 'refunds due'],
  ['orders whose refunds do not add up: 0', 'order', 'orders whose refunds do not add up'],
  ['ordinary orders still waiting for stock: 0', 'order', 'pending stock'],
];

/** The design's invariants, computed from what each service knows. Pure. */
export function invariantsOf(
  facts: AllFacts,
  subscriptions: readonly SubscriptionState[],
  outside: Outside,
): Invariant[] {
  return [
    addsUp(
      'sold + reserved + available = stock, for every campaign',
      facts.seckill,
      'stock',
      'campaigns that do not add up',
    ),
    addsUp(
      'sold + reserved + available = initial, for every SKU',
      facts.catalog,
      'initial',
      'SKUs that do not add up',
    ),
    ...ZERO.map(([invariant, service, figure]) => {
      const value = facts[service].figures[figure]!;
      return { invariant, holds: value === 0, figures: { [figure]: value } };
    }),
    ...SAME.map(([invariant, one, oneSet, other, otherSet]) => ({
      invariant,
      holds: equal(facts[one].sets[oneSet]!, facts[other].sets[otherSet]!),
      figures: {
        [`${one}: ${oneSet}`]: facts[one].sets[oneSet]!.count,
        [`${other}: ${otherSet}`]: facts[other].sets[otherSet]!.count,
      },
    })),
    ...seenOutside(facts, outside),
    ...subscriptions.map(settled),
    ...subscriptions.map(inOrder),
  ];
}

function addsUp(invariant: string, { figures }: Facts, total: string, broken: string): Invariant {
  const { [total]: whole, available, reserved, sold, [broken]: wrong } = figures;
  const holds = wrong === 0 && sold! + reserved! + available! === whole;
  return {
    invariant,
    holds,
    figures: { [total]: whole!, available: available!, reserved: reserved!, sold: sold!, [broken]: wrong! },
  };
}

function seenOutside(facts: AllFacts, outside: Outside): Invariant[] {
  const deliveries = facts['merchant-notifier'].sets;
  const notices = Object.values(facts.notification.sets).reduce((total, set) => total + set.count, 0);
  const paid = facts.order.figures['payments taken']!;
  const refunds = facts.order.figures['refunds given']!;
  const [taken, given] = [facts.order.figures['minor taken']!, facts.order.figures['minor given back']!];
  return [
    compare('the merchant has each paid order once', deliveries['paid']!.count, outside.webhooksPaid),
    compare(
      'the merchant has each cancelled order once',
      deliveries['cancelled']!.count,
      outside.webhooksCancelled,
    ),
    compare('the telephone has each notice once', notices, outside.sms),
    compare('the provider was paid as often as the shop', paid, outside.paymentsPaid),
    compare('the provider gave back as often as the shop', refunds, outside.refunds),
    compare('the provider took as much, in minor units, as the shop', taken, outside.minorPaid),
    compare('the provider gave back as much, in minor units, as the shop', given, outside.minorRefunded),
  ];
}

function compare(invariant: string, shop: number, seen: number): Invariant {
  return { invariant, holds: shop === seen, figures: { 'the shop': shop, outside: seen } };
}

function settled(subscription: SubscriptionState): Invariant {
  const { name, appended, handled, skipped, duplicate, parked, dead, discarded, lag } = subscription;
  return {
    invariant: `handled + skipped + duplicate + parked + dead + discarded = appended, for ${name}`,
    holds:
      handled + skipped + duplicate + parked + dead + discarded === appended &&
      lag === 0 &&
      parked === 0 &&
      dead === 0,
    figures: { appended, handled, skipped, duplicate, parked, dead, discarded, lag },
  };
}

function inOrder({ name, handled, outOfOrder }: SubscriptionState): Invariant {
  return {
    invariant: `events of each key in the order of their commits, for ${name}`,
    holds: outOfOrder === 0,
    figures: { handled, 'out of order': outOfOrder ?? -1 },
  };
}

function equal(a: IdSet, b: IdSet): boolean {
  return a.count === b.count && a.distinct === a.count && b.distinct === b.count && a.checksum === b.checksum;
}
