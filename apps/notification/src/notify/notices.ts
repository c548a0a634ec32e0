import { createHash } from 'node:crypto';
import {
  formatMoney,
  type OrderCancelled,
  type OrderPaid,
  type OrderPlaced,
  type OrderRefunded,
} from '#contracts';

export interface Notice {
  /** The same for the same cause and kind, so that a receiver can detect duplicates. */
  readonly id: string;
  /** What it is about: the order, or one refund of it. */
  readonly causeId: string;
  readonly orderId: string;
  readonly kind: 'order-placed' | 'order-paid' | 'order-cancelled' | 'order-refunded';
  readonly buyerId: string;
  readonly text: string;
}

export function placedNotice({ orderId, buyerId, items }: OrderPlaced): Notice {
  const count = items.reduce((total, item) => total + item.quantity, 0);
  return notice('order-placed', orderId, buyerId, `Your order of ${count} item(s) is in.`);
}

export function paidNotice({ orderId, buyerId, totalMinor, currency }: OrderPaid): Notice {
  return notice(
    'order-paid',
    orderId,
    buyerId,
    `We have your payment of ${formatMoney(totalMinor, currency)}.`,
  );
}

export function cancelledNotice({ orderId, buyerId, reason }: OrderCancelled): Notice {
  return notice(
    'order-cancelled',
    orderId,
    buyerId,
    `Your order was cancelled (${reason.replaceAll('_', ' ')}).`,
  );
}

export function refundedNotice({ refundId, orderId, buyerId, totalMinor, currency }: OrderRefunded): Notice {
  const text = `You get ${formatMoney(totalMinor, currency)} back.`;
  return notice('order-refunded', orderId, buyerId, text, refundId);
}

function notice(
  kind: Notice['kind'],
  orderId: string,
  buyerId: string,
  text: string,
  causeId: string = orderId,
): Notice {
  return { id: nameBasedId(`${causeId}/${kind}`), causeId, orderId, kind, buyerId, text };
}

/** A UUID made from the hash of a name (RFC 9562, version 8). */
function nameBasedId(name: string): string {
  const hex = createHash('sha256').update(name).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
