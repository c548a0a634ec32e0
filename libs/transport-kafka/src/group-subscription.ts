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
 * A competing subscription of this process: what its membership gives is fetched, handed to the handler, and
 * committed soon after its effects, for all partitions together in one request at a time.
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
        // What is not ours any more is not ours to tell: it would set another owner's place back.
        if (this.assigned.includes(position)) this.uncommitted.add(position);
        // The next batch need not wait for it: a commit that is lost only brings messages again.
        this.commitSoon();
      },
      () => this.advance(),
    );
  }

  get memberId(): string {
    return this.membership.id;
  }

  /** Resolves when it is settled where a new group begins; its partitions come when the group has shared them out. */
  async start(): Promise<void> {
    this.fetcher.start();
    await this.membership.join();
  }

  close(): Promise<void> {
    return (this.closing ??= this.shutDown());
  }

  private async shutDown(): Promise<void> {
    // The membership goes on while what is in hand is finished, or its partition would be given away meanwhile.
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

  /** Finishes what is in hand, or asks it to stop where it can, and says how far it came. */
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

  /** In a moment, with what is done until then: each commit is a write for the brokers. */
  private commitSoon(): void {
    this.soon ??= setTimeout(PACE.commitMs).then(() => {
      this.soon = undefined;
      return this.commit();
    });
  }

  /** Resolves when all that was done when it was called is committed, or is not ours to commit. */
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
        // The effects are done; only the group does not know yet.
        for (const position of positions)
          if (this.assigned.includes(position)) this.uncommitted.add(position);
        if (this.assigned.length === 0 || this.delivery.stopping) return;
        this.logger.warn(`${this.options.group}: commit failed, trying again: ${String(error)}`);
        await setTimeout(PACE.firstRetryMs);
      }
    }
  }
}
