import { Webhook } from 'standardwebhooks';
import type { Alert } from './requests.js';

/** Where alerts are told. */
export interface AlertWebhookOptions {
  readonly url: string;
  /** `whsec_` and base64; what is told is signed with it. */
  readonly secret?: string | undefined;
}

const TIMEOUT_MS = 5_000;

/** Tells an operator's endpoint of alerts, by the Standard Webhooks specification. */
export class AlertWebhook {
  private readonly webhook: Webhook | undefined;

  constructor(private readonly options: AlertWebhookOptions) {
    this.webhook = options.secret === undefined ? undefined : new Webhook(options.secret);
  }

  /** @throws when the endpoint does not take it; it knows by the id what it was told before */
  async tell(service: string, what: 'raised' | 'cleared', alert: Alert): Promise<void> {
    const id = `${alert.id}.${what}`;
    const timestamp = new Date();
    const body = JSON.stringify({
      type: `alert.${what}`,
      timestamp: timestamp.toISOString(),
      data: { service, ...alert },
    });
    const response = await fetch(this.options.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'webhook-id': id,
        'webhook-timestamp': String(Math.floor(timestamp.getTime() / 1_000)),
        ...(this.webhook && { 'webhook-signature': this.webhook.sign(id, timestamp, body) }),
      },
      body,
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    await response.arrayBuffer();
    if (!response.ok) throw new Error(`${this.options.url} answered ${response.status}`);
  }
}
