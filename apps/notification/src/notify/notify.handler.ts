import { Controller } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { ListNotices, OrderCancelled, OrderPaid, OrderPlaced, OrderRefunded } from '#contracts';
import { Handle, type HandleOptions, type ReplyOf, type RequestOf } from '#messaging';
import { HandleRequest } from '#requests';
import { NotificationDatabase } from '../notification.database.js';
import { cancelledNotice, type Notice, paidNotice, placedNotice, refundedNotice } from './notices.js';
import { SmsGateway } from './sms-gateway.js';

const INSERT = `
INSERT INTO notice (id, cause_id, order_id, kind, channel, buyer_id, text)
SELECT id, "causeId", "orderId", kind, 'sms', "buyerId", text
FROM json_to_recordset($1::json) AS n(id uuid, "causeId" uuid, "orderId" uuid, kind text, "buyerId" text, text text)`;

/** What the gateway refuses half a dozen times it will not take: an operator is to look at it. */
const FOLLOW_ORDER = {
  name: 'notification.follow-order',
  batch: 50,
  retry: { attempts: 6 },
} as const satisfies HandleOptions;

/**
 * Tells buyers what became of their orders. Sent before the commit: a crash between the two sends again under
 * the same id, which the gateway takes once. The other order would lose the message.
 */
@Controller()
export class NotifyBuyers {
  constructor(
    private readonly gateway: SmsGateway,
    private readonly database: NotificationDatabase,
  ) {}

  @Handle(OrderPlaced, FOLLOW_ORDER)
  async placed(events: readonly OrderPlaced[], tx: EntityManager): Promise<void> {
    await this.send(events.map(placedNotice), tx);
  }

  @Handle(OrderPaid, FOLLOW_ORDER)
  async paid(events: readonly OrderPaid[], tx: EntityManager): Promise<void> {
    await this.send(events.map(paidNotice), tx);
  }

  @Handle(OrderCancelled, FOLLOW_ORDER)
  async cancelled(events: readonly OrderCancelled[], tx: EntityManager): Promise<void> {
    await this.send(events.map(cancelledNotice), tx);
  }

  @Handle(OrderRefunded, FOLLOW_ORDER)
  async refunded(events: readonly OrderRefunded[], tx: EntityManager): Promise<void> {
    await this.send(events.map(refundedNotice), tx);
  }

  @HandleRequest(ListNotices)
  async list({ buyerId, limit }: RequestOf<typeof ListNotices>): Promise<ReplyOf<typeof ListNotices>> {
    const notices = (await this.database.query(
      `SELECT order_id AS "orderId", kind, channel, text, sent_at AS at FROM notice
       WHERE buyer_id = $1 ORDER BY sent_at DESC, kind LIMIT $2`,
      [buyerId, limit],
    )) as { orderId: string; kind: string; channel: string; text: string; at: Date }[];
    return { notices: notices.map(each => ({ ...each, at: each.at.toISOString() })) };
  }

  private async send(notices: readonly Notice[], tx: EntityManager): Promise<void> {
    await tx.query(INSERT, [JSON.stringify(notices)]);
    await Promise.all(notices.map(({ id, buyerId, text }) => this.gateway.send(id, buyerId, text)));
  }
}
