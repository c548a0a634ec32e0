import { Inject, Injectable } from '@nestjs/common';
import { Dependency, postOutside, requireSuccess } from '#messaging';
import { SERVICE_CONFIG } from '#service-kit';
import type { NotificationConfig } from '../notification.config.js';

const TIMEOUT_MS = 5_000;

/** The SMS provider. It accepts each id once, however often it is sent. */
@Injectable()
export class SmsGateway {
  private readonly gateway = new Dependency('the SMS gateway');

  constructor(@Inject(SERVICE_CONFIG) private readonly config: NotificationConfig) {}

  /** @throws when the gateway does not accept the message; sending it again is safe */
  async send(id: string, to: string, text: string): Promise<void> {
    await this.gateway.call(() => this.post(id, to, text));
  }

  private async post(id: string, to: string, text: string): Promise<void> {
    const answer = await postOutside(`${this.config.SMS_GATEWAY_URL}/sms`, {
      headers: {
        authorization: `Bearer ${this.config.SMS_API_KEY}`,
        'content-type': 'application/json',
        'idempotency-key': id,
      },
      body: JSON.stringify({ to, text }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    requireSuccess(this.gateway.name, answer);
  }
}
