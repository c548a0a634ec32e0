import { Logger } from '@nestjs/common';
import { retryUntil } from './retry-until.js';
import { type BoundedClient, limitSession, type SessionLimits } from './session-limits.js';

/** What of a client of `pg` is needed here. It is not connected yet. */
export interface ListeningClient extends BoundedClient {
  connect(): Promise<unknown>;
  end(): Promise<unknown>;
  query(text: string | Statement, values?: unknown[]): Promise<{ rows: unknown[] }>;
  on(event: string, listener: (argument: never) => void): unknown;
}

/** A statement that a connection prepares once. */
export interface Statement {
  readonly name: string;
  readonly text: string;
  readonly values: unknown[];
}

interface Notification {
  readonly channel: string;
  readonly payload?: string;
}

/** Between two attempts to connect again, in ms. */
const RETRY_MS = 250;
/** How long to wait for the server to close the connection, in ms. */
const FAREWELL_MS = 1_000;
/** Between two signs of life, in ms. */
const BEAT_MS = 10_000;

/**
 * A connection that listens. It reconnects by itself, then wakes everyone for what they missed.
 */
export class Listener {
  private readonly logger = new Logger(Listener.name);
  private readonly listeners = new Map<string, Set<(payload: string) => void>>();
  private client: ListeningClient | undefined;
  /** When something was last said on the connection. */
  private askedAt = 0;
  private readonly closed = new AbortController();

  constructor(
    private readonly create: () => ListeningClient,
    private readonly limits: SessionLimits,
  ) {}

  /** Calls `listener` with the payload of each NOTIFY, and with '' after a reconnection. */
  on(channel: string, listener: (payload: string) => void): () => void {
    const listeners = this.listeners.get(channel) ?? new Set();
    this.listeners.set(channel, listeners.add(listener));
    return () => listeners.delete(listener);
  }

  /** Listens on the channels that have a listener by now, until closed. */
  async open(): Promise<void> {
    const client = this.create();
    let lost = false;
    const onLost = (error?: Error) => {
      if (lost) return;
      lost = true;
      // While it is being opened, whoever opens it tries again.
      if (this.client !== client) return;
      this.client = undefined;
      if (!this.closed.signal.aborted) this.reopen(error);
    };
    client.on('error', onLost);
    client.on('end', () => onLost());
    client.on('notification', ({ channel, payload }: Notification) => {
      for (const listener of this.listeners.get(channel) ?? []) listener(payload ?? '');
    });
    try {
      await client.connect();
      await limitSession(client, this.limits);
      for (const channel of this.listeners.keys()) await client.query(`LISTEN "${channel}"`);
    } catch (error) {
      lost = true;
      await client.end().catch(() => undefined);
      throw error;
    }
    if (lost) throw new Error('the connection was lost while it was being opened');
    this.client = client;
    // On a connection that has silently died nothing is heard, and nothing else is said that could show it.
    const beat = setInterval(() => {
      if (performance.now() - this.askedAt > BEAT_MS) client.query('SELECT').catch(() => undefined);
    }, BEAT_MS);
    client.on('end', () => clearInterval(beat));
    if (this.closed.signal.aborted) await this.close();
  }

  /** @returns the rows; undefined while the connection is away */
  async ask<Row>(statement: Statement): Promise<readonly Row[] | undefined> {
    if (this.client === undefined) return undefined;
    this.askedAt = performance.now();
    const { rows } = await this.client.query(statement);
    return rows as Row[];
  }

  /** Opens it in the background: until that has succeeded, nothing is heard. */
  openEventually(): void {
    const backoff = { firstMs: RETRY_MS, longestMs: RETRY_MS };
    const opened = retryUntil(() => this.open(), { backoff, forMs: Infinity, signal: this.closed.signal });
    void opened.then(
      () => this.wakeAll(),
      // Closed meanwhile: nobody listens any more.
      () => undefined,
    );
  }

  async close(): Promise<void> {
    this.closed.abort();
    const { client } = this;
    if (client === undefined) return;
    // On a connection that has silently died nobody answers the farewell.
    const tooLong = setTimeout(() => client.connection?.stream?.destroy(), FAREWELL_MS);
    await client.end().catch(() => undefined);
    clearTimeout(tooLong);
  }

  private reopen(reason: Error | undefined): void {
    this.logger.warn(`lost the listening connection, opening another: ${reason?.message ?? 'it was closed'}`);
    this.openEventually();
  }

  private wakeAll(): void {
    for (const listeners of this.listeners.values()) for (const listener of listeners) listener('');
  }
}
