import { createHmac } from 'node:crypto';
import {
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
} from '@nestjs/common';
import { DataSource } from 'typeorm';
import { BackgroundTask, postOutside, type Turn } from '#messaging';
import { SERVICE_CONFIG } from '#service-kit';
import type { SandboxConfig } from '../sandbox.config.js';

/** The longest sleep, in ms. Nothing wakes it for a callback of an instance that has died. */
const POLL_MS = 10_000;
/** The pause after a failure of the database, in ms. */
const RETRY_MS = 1_000;
const BATCH = 50;
const TIMEOUT_MS = 10_000;

interface Due {
  readonly id: string;
  readonly body: string;
}

// Claims a callback by postponing its due time: if we are killed before the answer, it is sent again then.
const CLAIM = `
UPDATE callback SET attempts = attempts + 1, due_at = now() + make_interval(secs => least(2 ^ attempts, 60) + 10)
WHERE id IN (SELECT id FROM callback WHERE delivered_at IS NULL AND due_at <= now()
             ORDER BY due_at LIMIT $1 FOR UPDATE SKIP LOCKED)
RETURNING id, body`;

/** How long until the next one is due, in ms. */
const NEXT_DUE = `
SELECT (extract(epoch FROM min(due_at) - clock_timestamp()) * 1000)::float8 AS ms FROM callback WHERE delivered_at IS NULL`;

const RETRY = `
UPDATE callback SET due_at = now() + make_interval(secs => least(2 ^ attempts / 10, 60)), answer = $2 WHERE id = $1`;

/** Notifies the shop of payments. Callbacks are signed, stored, and resent until the shop accepts them. */
@Injectable()
export class Callbacks implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger(Callbacks.name);
  private readonly task = new BackgroundTask(() => this.turn(), {
    backoff: { firstMs: RETRY_MS, longestMs: RETRY_MS },
    onError: error => this.logger.warn(`callbacks are delayed: ${String(error)}`),
  });

  constructor(
    private readonly database: DataSource,
    @Inject(SERVICE_CONFIG) private readonly config: SandboxConfig,
  ) {}

  onApplicationBootstrap(): void {
    this.task.start();
  }

  async onModuleDestroy(): Promise<void> {
    await this.task.stop();
  }

  wake(): void {
    this.task.wake();
  }

  private async turn(): Promise<Turn> {
    const [due] = (await this.database.query(CLAIM, [BATCH])) as [Due[]];
    await Promise.all(due.map(each => this.send(each)));
    if (due.length > 0) return 0;
    const [{ ms }] = (await this.database.query(NEXT_DUE)) as [{ ms: number | null }];
    return Math.min(Math.max(ms ?? POLL_MS, 1), POLL_MS);
  }

  private async send({ id, body }: Due): Promise<void> {
    const timestamp = String(Math.floor(Date.now() / 1000));
    const signature = createHmac('sha256', this.config.PAYMENT_SECRET)
      .update(`${timestamp}.${body}`)
      .digest('hex');
    let answer = 0;
    try {
      const headers = {
        'content-type': 'application/json',
        'sluice-timestamp': timestamp,
        'sluice-signature': signature,
      };
      const signal = AbortSignal.timeout(TIMEOUT_MS);
      // To the address that the customer has registered, and to no other.
      const { status } = await postOutside(this.config.PAYMENT_CALLBACK_URL, { headers, body, signal });
      answer = status;
    } catch (error) {
      this.logger.warn(`callback ${id} was not delivered: ${String(error)}`);
    }
    // A refusal is final: sending the same callback again cannot change it. Anything else is retried.
    const isRedirect = answer >= 300 && answer < 400;
    const final = answer >= 200 && answer < 500 && answer !== 429 && !isRedirect;
    await this.database.query(
      final ? 'UPDATE callback SET delivered_at = now(), answer = $2 WHERE id = $1' : RETRY,
      [id, answer],
    );
  }
}
