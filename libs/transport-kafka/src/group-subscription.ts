import { setTimeout } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import {
  type BatchHandler,
  PartitionDelivery,
  type ReadPosition,
  type TransportSubscription,
} from '#messaging';
import type { KafkaClient } from './client.js';
import { Fetcher } from './fetcher.js';
import { handOut, type ReadOptions } from './hand-out.js';
import { LIMITS, PACE } from './limits.js';
import { Membership, type MemberOptions } from './membership.js';

/**
 * A competing subscription of this process. The partitions of its membership are fetched, handed to the
 * handler, and committed soon after their effects, for all partitions together in one request at a time.
 */
export class GroupSubscription implements TransportSubscription {
  private readonly logger = new Logger('KafkaSubscription');
  private readonly membership: Membership;
  private readonly fetcher: Fetcher;
  private readonly delivery: PartitionDelivery<ReadPosition>;
  private readonly uncommitted = new Set<ReadPosition>();
  private assigned: readonly ReadPosition[] = [];
  private revoking = false;
  private committing: Promise<void> | undefined;
  private soon: Promise<void> | undefined;
  private closing: Promise<void> | undefined;

  /** @param client connections of its own, closed with it */
  constructor(
    private readonly client: KafkaClient,
    private readonly options: MemberOptions,
    private readonly read: ReadOptions,
    handler: BatchHandler,
    private readonly onClosed: () => void,
  ) {
    this.membership = new Membership(client, options, {
      assigned: positions => this.take(positions),
      revoke: () => this.revoke(),
      lost: () => this.lost(),
    });
    const ahead = 2 * read.messages;
    const source = { topics: options.topics, ahead, whenGone: 'start', nameOf: read.nameOf } as const;
    this.fetcher = new Fetcher(client, source, () => this.advance());
    this.delivery = new PartitionDelivery(
      options.group,
      batch => handler({ ...batch, topic: read.nameOf(batch.topic) }),
      async position => {
        // Do not commit a partition that is no longer ours: that would set back the position of its new
        // owner.
        if (this.assigned.includes(position)) this.uncommitted.add(position);
        // The next batch need not wait for the commit: a lost commit only causes redelivery.
        this.commitSoon();
      },
      () => this.advance(),
    );
  }

  get memberId(): string {
    return this.membership.id;
  }

  /**
   * Resolves when the start of a new group is fixed. Its partitions come later, when the group has assigned
   * them.
   */
  async start(): Promise<void> {
    this.fetcher.start();
    await this.membership.join();
  }

  close(): Promise<void> {
    return (this.closing ??= this.shutDown());
  }

  private async shutDown(): Promise<void> {
    // Keep the membership until batches in progress are done, or their partitions would be given away.
    await this.delivery.stop();
    await this.commit();
    await this.membership.leave();
    await this.fetcher.stop();
    await this.client.close();
    this.onClosed();
  }

  private take(positions: readonly ReadPosition[]): void {
    this.assigned = positions;
    this.revoking = false;
    this.fetcher.keep(positions);
    this.advance();
  }

  /** Finishes batches in progress, or asks them to stop where they can, and commits how far they came. */
  private async revoke(): Promise<void> {
    this.revoking = true;
    const { assigned } = this;
    const idle = Promise.all(assigned.map(position => this.delivery.idle(position)));
    const patience = new AbortController();
    const grace = setTimeout(LIMITS.revokeGraceMs, undefined, { signal: patience.signal }).then(
      () => assigned.forEach(position => this.delivery.abandon(position)),
      () => undefined,
    );
    await idle;
    patience.abort();
    await grace;
    await this.commit();
  }

  private lost(): void {
    for (const position of this.assigned) this.delivery.abandon(position);
    this.assigned = [];
    this.uncommitted.clear();
    this.fetcher.keep([]);
  }

  private advance(): void {
    handOut(this.revoking ? [] : this.assigned, this.fetcher, this.delivery, this.read);
  }

  /** Commits in a moment, with what is done by then: each commit is a write for the brokers. */
  private commitSoon(): void {
    this.soon ??= setTimeout(PACE.commitMs).then(() => {
      this.soon = undefined;
      return this.commit();
    });
  }

  /** Resolves when everything that was done before the call is committed, or is not ours to commit. */
  private async commit(): Promise<void> {
    await this.committing;
    this.committing ??= this.commitAll().finally(() => {
      this.committing = undefined;
    });
    await this.committing;
  }

  private async commitAll(): Promise<void> {
    while (this.uncommitted.size > 0) {
      const positions = [...this.uncommitted];
      this.uncommitted.clear();
      try {
        if (!(await this.membership.commit(positions)))
          this.logger.warn(
            `${this.options.group}: was overtaken, ${positions.length} partition(s) not committed`,
          );
      } catch (error) {
        // The effects are done; only the commit is missing.
        for (const position of positions)
          if (this.assigned.includes(position)) this.uncommitted.add(position);
        if (this.assigned.length === 0 || this.delivery.stopping) return;
        this.logger.warn(`${this.options.group}: commit failed, trying again: ${String(error)}`);
        await setTimeout(PACE.firstRetryMs);
      }
    }
  }
}
