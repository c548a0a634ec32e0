import { Logger } from '@nestjs/common';
import pg from 'pg';
import { type BoundedClient, limitSession, retryUntil } from '#messaging';
import { PACE, SESSION } from './limits.js';

/**
 * The process's one listening connection. It reconnects by itself, then wakes everyone for what they missed.
 */
export class Listener {
  private readonly logger = new Logger(Listener.name);
  private readonly listeners = new Map<string, Set<(payload: string) => void>>();
  private client: pg.Client | undefined;
  private readonly closed = new AbortController();

  constructor(private readonly connectionString: string) {}

  /** Calls `listener` with the payload of each NOTIFY, and with '' after a reconnection. */
  on(channel: string, listener: (payload: string) => void): () => void {
    const listeners = this.listeners.get(channel) ?? new Set();
    this.listeners.set(channel, listeners.add(listener));
    return () => listeners.delete(listener);
  }

  /** Listens on the channels from now until closed. */
  async open(channels: readonly string[]): Promise<void> {
    const client = new pg.Client({ connectionString: this.connectionString, keepAlive: true });
    let lost = false;
    const onLost = (error?: Error) => {
      if (lost) return;
      lost = true;
      if (this.client === client) this.client = undefined;
      if (!this.closed.signal.aborted) void this.reopen(channels, error);
    };
    client.on('error', onLost);
    client.on('end', () => onLost());
    client.on('notification', ({ channel, payload }) => {
      for (const listener of this.listeners.get(channel) ?? []) listener(payload ?? '');
    });
    try {
      await client.connect();
      await limitSession(client as unknown as BoundedClient, SESSION);
      for (const channel of channels) await client.query(`LISTEN ${pg.escapeIdentifier(channel)}`);
    } catch (error) {
      lost = true;
      await client.end().catch(() => undefined);
      throw error;
    }
    this.client = client;
    // On a connection that has silently died nothing is heard, and nothing else is said that could show it.
    const beat = setInterval(() => void client.query('SELECT').catch(() => undefined), PACE.listenerBeatMs);
    client.once('end', () => clearInterval(beat));
    if (this.closed.signal.aborted) await this.close();
  }

  async close(): Promise<void> {
    this.closed.abort();
    await this.client?.end().catch(() => undefined);
  }

  private async reopen(channels: readonly string[], reason: Error | undefined): Promise<void> {
    this.logger.warn(`lost the listening connection, opening another: ${reason?.message ?? 'it was closed'}`);
    const reopened = retryUntil(() => this.open(channels), {
      backoff: { firstMs: PACE.retryMs, longestMs: PACE.retryMs },
      forMs: Infinity,
      signal: this.closed.signal,
    });
    await reopened.then(
      () => {
        for (const listeners of this.listeners.values()) for (const listener of listeners) listener('');
      },
      // Closed meanwhile: nobody listens any more.
      () => undefined,
    );
  }
}
