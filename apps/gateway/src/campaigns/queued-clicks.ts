import { Inject, Injectable } from '@nestjs/common';
import { type Click, DECIDE_REQUESTED, type Decision, SeckillRequested } from '#contracts';
import {
  DEFAULT_REQUEST_QUEUE_LIMITS,
  DomainError,
  MESSAGE_TRANSPORT,
  MessagingClient,
  NoReply,
  RequestQueue,
  RequestQueueFull,
  type Transport,
} from '#messaging';
import { SERVICE_CONFIG } from '#service-kit';
import type { GatewayConfig } from '../gateway.config.js';
import { ClickUndecided } from './clicks.js';
import { FlashSaleClock } from './flash-sale-clock.js';
import { ReplyAddress } from './reply-address.js';

/** It was not decided in time, or its decision was lost on the way back. */
export class NoDecision extends DomainError {
  readonly code = 'expired';
  constructor(readonly campaignId: string) {
    super(
      'no decision came in time; nothing is reserved unless it was decided just before its deadline: ' +
        'then the order is in GET /api/orders, and the same Idempotency-Key gets it',
    );
  }
}

/** How much longer than its deadline a click waits for its decision to come back, in ms. */
const RETURN_MS = 2_000;

/**
 * Puts clicks on the queue and waits for their decisions. The flash sale takes them at its own pace. What it does not
 * decide by a click's deadline is never decided.
 */
@Injectable()
export class QueuedClicks {
  private readonly queue: RequestQueue<Decision>;

  constructor(
    private readonly messages: MessagingClient,
    private readonly clock: FlashSaleClock,
    private readonly address: ReplyAddress,
    @Inject(MESSAGE_TRANSPORT) transport: Transport,
    @Inject(SERVICE_CONFIG) private readonly config: GatewayConfig,
  ) {
    const backlog = async () => {
      const partitions = await transport.lag(DECIDE_REQUESTED);
      // Nobody has ever read the queue: everything waits.
      return partitions.length === 0 ? Infinity : partitions.reduce((total, { lag }) => total + lag, 0);
    };
    this.queue = new RequestQueue(backlog, {
      ...DEFAULT_REQUEST_QUEUE_LIMITS,
      most: config.GATEWAY_QUEUED,
    });
  }

  /** Gets the decision on a click. @throws RequestQueueFull, NoDecision, ClickUndecided, ServiceUnavailable */
  // #region ask
  async decide(campaignId: string, click: Click): Promise<Decision> {
    const { GATEWAY_QUEUED_MS: decideMs } = this.config;
    const deadline = await this.clock.ask(performance.now() + decideMs);
    const replyTo = this.address.get();
    const put = () => this.messages.emitEvent(SeckillRequested, { campaignId, click, deadline, replyTo });
    try {
      return await this.queue.ask(click.reservationId, put, decideMs + RETURN_MS);
    } catch (error) {
      if (error instanceof NoReply) throw new NoDecision(campaignId);
      throw error instanceof RequestQueueFull ? error : new ClickUndecided(campaignId);
    }
  }
  // #endregion

  /** A decision has come back. */
  decided(reservationId: string, decision: Decision): void {
    this.queue.reply(reservationId, decision);
  }
}
