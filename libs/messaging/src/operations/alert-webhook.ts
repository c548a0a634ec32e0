import { Webhook } from 'standardwebhooks';
import { postOutside } from '../flow/post-outside.js';
import type { Alert } from './states.js';

/** Where alerts are sent. */
export interface AlertWebhookOptions {
  readonly url: string;
  /** `whsec_` and base64; notices are signed with it. */
  readonly secret?: string | undefined;
}

/** The endpoint rejected this notice; sending it again cannot help. */
export class NoticeRefused extends Error {
  constructor(url: string, status: number) {
    super(`${url} rejected the notice with status ${status}; check ALERT_WEBHOOK_URL and its secret`);
  }
}

const TIMEOUT_MS = 5_000;

/** Sends alerts to an operator's endpoint, by the Standard Webhooks specification. */
export class AlertWebhook {
  private readonly webhook: Webhook | undefined;

  constructor(private readonly options: AlertWebhookOptions) {
    this.webhook = options.secret === undefined ? undefined : new Webhook(options.secret);
  }

  /**
   * @throws NoticeRefused; any other error is transient, and the notice may be sent again: its id marks it as
   * a copy
   */
  async tell(service: string, what: 'raised' | 'cleared', alert: Alert, signal: AbortSignal): Promise<void> {
    const id = `${alert.id}.${what}`;
    const timestamp = new Date();
    const body = JSON.stringify({
      type: `alert.${what}`,
      timestamp: timestamp.toISOString(),
      data: { service, ...alert },
    });
    const { ok, status } = await postOutside(this.options.url, {
      headers: {
        'content-type': 'application/json',
        'webhook-id': id,
        'webhook-timestamp': String(Math.floor(timestamp.getTime() / 1_000)),
        ...(this.webhook && { 'webhook-signature': this.webhook.sign(id, timestamp, body) }),
      },
      body,
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    if (status >= 300 && status < 500 && status !== 408 && status !== 429)
      throw new NoticeRefused(this.options.url, status);
    if (!ok) throw new Error(`${this.options.url} answered ${status}`);
  }
}
