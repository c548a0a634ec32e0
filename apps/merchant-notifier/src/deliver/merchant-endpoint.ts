import { Inject, Injectable } from '@nestjs/common';
import { Webhook } from 'standardwebhooks';
import { Dependency, postOutside, requireSuccess } from '#messaging';
import { SERVICE_CONFIG } from '#service-kit';
import type { MerchantNotifierConfig } from '../merchant-notifier.config.js';

const TIMEOUT_MS = 5_000;

/** The merchant's webhook endpoint, by the Standard Webhooks specification. */
@Injectable()
export class MerchantEndpoint {
  readonly url: string;
  private readonly webhook: Webhook;
  private readonly merchant = new Dependency('the merchant');

  constructor(@Inject(SERVICE_CONFIG) config: MerchantNotifierConfig) {
    this.url = config.MERCHANT_WEBHOOK_URL;
    this.webhook = new Webhook(config.MERCHANT_WEBHOOK_SECRET);
  }

  /** @throws when the merchant does not accept it; sending it again under the same id is safe */
  async post(webhookId: string, type: string, data: object): Promise<void> {
    await this.merchant.call(() => this.send(webhookId, type, data));
  }

  private async send(webhookId: string, type: string, data: object): Promise<void> {
    const timestamp = new Date();
    const body = JSON.stringify({ type, timestamp: timestamp.toISOString(), data });
    const answer = await postOutside(this.url, {
      headers: {
        'content-type': 'application/json',
        'webhook-id': webhookId,
        'webhook-timestamp': String(Math.floor(timestamp.getTime() / 1000)),
        'webhook-signature': this.webhook.sign(webhookId, timestamp, body),
      },
      body,
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    requireSuccess(this.merchant.name, answer);
  }
}
