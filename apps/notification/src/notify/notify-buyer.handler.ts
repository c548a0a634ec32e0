import { Controller } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { OrderCancelled, OrderPaid, OrderPlaced, OrderRefunded } from '#contracts';
import { Handle, type HandleOptions } from '#messaging';
import { cancelledNotice, type Notice, paidNotice, placedNotice, refundedNotice } from './notices.js';
import { SentNotices } from './sent-notices.js';
import { SmsGateway } from './sms-gateway.js';

/** A message that the gateway refuses six times will never be accepted: an operator has to look at it. */
const FOLLOW_ORDER = {
  name: 'notification.follow-order',
  batch: 50,
  retry: { attempts: 6 },
} as const satisfies HandleOptions;

/**
 * Notifies buyers about their orders. It sends before the commit: a crash between the two sends again under
 * the same id, which the gateway accepts once. The other order would lose the message.
 */
@Controller()
export class NotifyBuyerHandler {
  constructor(
    private readonly gateway: SmsGateway,
    private readonly sent: SentNotices,
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

  private async send(notices: readonly Notice[], tx: EntityManager): Promise<void> {
    await this.sent.add(tx, notices);
    await Promise.all(notices.map(({ id, buyerId, text }) => this.gateway.send(id, buyerId, text)));
  }
}
