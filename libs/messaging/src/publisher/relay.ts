import { Logger } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import { headersOf, type WireMessage } from '../message/envelope.js';
import { BackgroundTask, type Turn } from '../runtime/background-task.js';
import { Lease } from '../runtime/lease.js';
import { restAfter } from '../runtime/yielding.js';
import { bury } from '../parking/dead-letter-store.js';
import { MessageTooLarge, type Transport, UnknownTopic } from '../transport/transport.js';
import { HIGHEST, NEXT_TO_SEND, REMOVE, VACUUM } from './outbox-sql.js';
import { sentChannel, type SentSignal } from './signals.js';

export interface RelayLimits {
  /** Most messages in one send. */
  readonly batch: number;
  /** Most payload bytes in one send; a single larger message is sent alone. */
  readonly batchBytes: number;
  /** How long another instance waits for a relay that went silent, in ms. */
  readonly leaseMs: number;
  /** How often an idle relay polls, in ms; a commit wakes it at once. */
  readonly pollMs: number;
  /** Longest pause after a failed send, in ms. */
  readonly maxBackoffMs: number;
  /** After how many sent rows their space is freed. */
  readonly vacuumRows: number;
}

export const DEFAULT_RELAY_LIMITS: RelayLimits = {
  batch: 1_000,
  batchBytes: 8 * 1024 * 1024,
  leaseMs: 6_000,
  pollMs: 30_000,
  maxBackoffMs: 5_000,
  vacuumRows: 20_000,
};

/** The pause after the first failed send, in ms. */
const FIRST_BACKOFF_MS = 100;

interface OutboxRow {
  readonly id: string;
  readonly topic: string;
  readonly key: string;
  readonly type: string;
  readonly event_id: string;
  readonly traceparent: string;
  readonly payload: string;
  readonly created_at: Date;
}

/**
 * Moves committed rows from the outbox to the transport, in order, one instance at a time.
 *
 * It deletes after the send: a crash between the two sends twice and the inbox absorbs it. It keeps no cursor: the
 * outbox holds exactly the messages still to be sent.
 */
export class Relay {
  private readonly logger = new Logger(Relay.name);
  /** Whoever holds it sends. */
  readonly lease: Lease;
  private readonly task: BackgroundTask;
  /** Rows that the transport has and the outbox still holds. */
  private sent: readonly string[] = [];
  /** Rows deleted since their space was last freed. */
  private deleted = 0;
  private vacuuming: Promise<void> | undefined;
  /** The row at which a stopping relay ends: the last one that was committed when it was stopped. */
  private end: bigint | undefined;

  constructor(
    private readonly database: DataSource,
    private readonly transport: Transport,
    private readonly service: string,
    instance: string,
    private readonly limits: RelayLimits = DEFAULT_RELAY_LIMITS,
  ) {
    this.lease = new Lease(database, 'relay', instance, limits.leaseMs);
    this.task = new BackgroundTask(() => this.turn(), {
      backoff: { firstMs: FIRST_BACKOFF_MS, longestMs: limits.maxBackoffMs },
      onError: (error, pauseMs) =>
        this.logger.warn(`sending failed, trying again in ${pauseMs} ms: ${String(error)}`),
      drains: true,
    });
  }

  get stuckMs(): number {
    return this.task.stuckMs;
  }

  start(): void {
    this.task.start();
  }

  /** Something was committed. */
  wake(): void {
    this.task.wake();
  }

  /**
   * Sends what was committed when it was called, then ends. The next relay sends what commits later, and the
   * rest if the transport fails meanwhile.
   */
  async stop(): Promise<void> {
    await this.task.stop();
    await this.vacuuming;
    await this.lease.giveUp().catch(() => undefined);
  }

  private async turn(): Promise<Turn> {
    const { stopping } = this.task;
    const startedAt = performance.now();
    // Others may go on publishing: what is above this is for the next relay.
    if (stopping) this.end ??= await this.highest();
    const { count, last } = await this.sendBatch();
    if (this.end !== undefined && (last === undefined || BigInt(last) >= this.end)) {
      await this.next(0);
      return 'done';
    }
    if (count === 0) return this.limits.pollMs;
    if (!stopping) await restAfter(startedAt, { full: count >= this.limits.batch });
    return 0;
  }

  /** The number of the last row that is committed; 0 when there is none. */
  private async highest(): Promise<bigint> {
    const [{ id }] = (await this.database.query(HIGHEST)) as [{ id: string }];
    return BigInt(id);
  }

  private async sendBatch(): Promise<{ count: number; last: string | undefined }> {
    const rows = await this.next((await this.lease.hold()) ? this.limits.batch : 0);
    if (rows.length === 0) return { count: 0, last: undefined };
    await this.send(rows);
    sentChannel.publish({ service: this.service, count: rows.length } satisfies SentSignal);
    this.sent = rows.map(row => row.id);
    return { count: rows.length, last: this.sent.at(-1) };
  }

  /**
   * Sends the rows in order. What the queue refuses for good is found by halving and set aside: it must not stop what
   * comes after it.
   */
  private async send(rows: readonly OutboxRow[]): Promise<void> {
    const messages = rows.map(row => toWireMessage(row, this.service));
    try {
      await this.transport.publish(messages);
    } catch (error) {
      if (!(error instanceof MessageTooLarge || error instanceof UnknownTopic)) throw error;
      if (rows.length === 1) return this.setAside(rows[0]!, messages[0]!, error);
      const middle = Math.ceil(rows.length / 2);
      await this.send(rows.slice(0, middle));
      await this.send(rows.slice(middle));
    }
  }

  private async setAside({ id, created_at }: OutboxRow, message: WireMessage, error: Error): Promise<void> {
    const place = {
      subscription: outboxOf(this.service),
      topic: message.topic,
      partition: 0,
      position: Number(id),
    };
    await this.database.transaction(async tx => {
      const [, removed] = (await tx.query(REMOVE, [id])) as [unknown, number];
      if (removed > 0)
        await bury(tx, place, { ...message, ...place, appendedAt: created_at }, error, { reason: 'refused' });
    });
    this.logger.error(`event ${id} is a dead letter of ${place.subscription}: ${error.message}`);
  }

  /** Deletes what was sent and reads what comes next, in one statement: one query per batch. */
  private async next(limit: number): Promise<OutboxRow[]> {
    if (limit === 0 && this.sent.length === 0) return [];
    const wanted = [this.sent, limit, this.limits.batchBytes];
    const rows = (await this.database.query(NEXT_TO_SEND, wanted)) as OutboxRow[];
    this.deleted += this.sent.length;
    this.sent = [];
    if (this.deleted >= this.limits.vacuumRows) this.vacuuming ??= this.vacuum();
    return rows;
  }

  /**
   * Frees the space of deleted rows, over which every look at the lowest row passes, by their number: autovacuum comes
   * by the minute. Beside the relay's own work; if it fails, autovacuum does it.
   */
  private async vacuum(): Promise<void> {
    this.deleted = 0;
    try {
      await this.database.query(VACUUM);
    } catch (error) {
      this.logger.warn(`the outbox was not vacuumed: ${String(error)}`);
    }
    this.vacuuming = undefined;
  }
}

/** What a service's outbox is called where operators see it. */
export function outboxOf(service: string): string {
  return `${service}.outbox`;
}

function toWireMessage(row: OutboxRow, source: string): WireMessage {
  const { topic, key, type, event_id, traceparent, created_at } = row;
  const sequence = Number(row.id);
  const headers = headersOf({ id: event_id, type, traceparent, source, time: created_at, sequence });
  return { topic, key, headers, payload: Buffer.from(row.payload) };
}
