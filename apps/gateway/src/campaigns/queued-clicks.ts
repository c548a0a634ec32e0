import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { type Click, DECIDE_REQUESTED, type Decision, SeckillRequested } from '#contracts';
import {
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

/** How much longer than its deadline a click waits for its decision to come back, in ms. */
const RETURN_MS = 2_000;

/**
 * Puts clicks on the queue and waits for their decisions. The flash sale takes them at its own pace. What it does not
 * decide by a click's deadline is never decided.
 */
@Injectable()
export class QueuedClicks implements OnModuleInit {
  private queue!: RequestQueue<Decision>;

  constructor(
    private readonly messages: MessagingClient,
    private readonly clock: FlashSaleClock,
    private readonly address: ReplyAddress,
    @Inject(MESSAGE_TRANSPORT) private readonly transport: Transport,
    @Inject(SERVICE_CONFIG) private readonly config: GatewayConfig,
  ) {}

  onModuleInit(): void {
    const backlog = async () =>
      (await this.transport.lag(DECIDE_REQUESTED)).reduce((total, { lag }) => total + lag, 0);
    this.queue = new RequestQueue(backlog, { most: this.config.GATEWAY_QUEUED, recountMs: 250 });
  }

  /** Gets the decision on a click. @throws RequestQueueFull, ClickUndecided, ServiceUnavailable */
  async decide(campaignId: string, click: Click): Promise<Decision> {
    const { GATEWAY_QUEUED_MS: decideMs } = this.config;
    const deadline = await this.clock.ask(performance.now() + decideMs);
    const replyTo = this.address.get();
    const put = () => this.messages.emitEvent(SeckillRequested, { campaignId, click, deadline, replyTo });
    try {
      return await this.queue.ask(click.reservationId, put, decideMs + RETURN_MS);
    } catch (error) {
      // It was not decided in time, or its decision was lost on the way back: asked again, it is the same click.
      if (error instanceof NoReply) return 'expired';
      throw error instanceof RequestQueueFull ? error : new ClickUndecided(campaignId);
    }
  }

  /** A decision has come back. */
  decided(reservationId: string, decision: Decision): void {
    this.queue.reply(reservationId, decision);
  }
}
