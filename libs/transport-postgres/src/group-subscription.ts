import { Logger } from '@nestjs/common';
import type { TransportSubscription } from '#messaging';
import type { Beating, Heartbeats } from './heartbeats.js';
import type { Assignment, GroupBeat, Membership } from './membership.js';
import type { PositionSource, Reader, LogPosition } from './reader.js';

interface AssignedPosition extends LogPosition {
  readonly assignment: Assignment;
}

/** The partitions of a membership, as a reader needs them: one object for as long as an epoch lasts. */
export class LeasedPositions implements PositionSource {
  private readonly positions = new WeakMap<Assignment, AssignedPosition>();

  constructor(private readonly membership: Membership) {}

  current(): readonly AssignedPosition[] {
    return this.membership.assignments.map(assignment => this.of(assignment));
  }

  of(assignment: Assignment): AssignedPosition {
    const { topic, partition, epoch, committed } = assignment;
    const position = this.positions.get(assignment) ?? {
      assignment,
      topic,
      partition,
      epoch,
      after: committed,
    };
    this.positions.set(assignment, position);
    return position;
  }

  async commit(position: LogPosition): Promise<boolean> {
    return this.membership.commit((position as AssignedPosition).assignment, position.after);
  }
}

/** A competing subscription of this process. */
export class GroupSubscription implements TransportSubscription, Beating {
  private readonly logger = new Logger(GroupSubscription.name);
  private starting: Promise<void> | undefined;
  private closing: Promise<void> | undefined;

  constructor(
    readonly membership: Membership,
    private readonly positions: LeasedPositions,
    private readonly reader: Reader,
    private readonly heartbeats: Heartbeats,
    private readonly onClosed: () => void,
  ) {}

  async start(): Promise<void> {
    this.starting = this.heartbeats.add(this);
    await this.starting;
    this.reader.start();
  }

  /** New messages may have arrived. */
  wake(): void {
    this.reader.wake();
  }

  /** The members or the leases changed. */
  rebalance(): void {
    this.heartbeats.wake();
  }

  close(): Promise<void> {
    return (this.closing ??= this.shutDown());
  }

  async renewed(beat: GroupBeat, before: readonly Assignment[], askedAt: number): Promise<void> {
    try {
      if (this.closing !== undefined) return this.membership.renew(beat, before, askedAt);
      const read = new Set(this.positions.current());
      const surplus = await this.membership.share(beat, before, askedAt);
      this.abandonLost(before);
      // They are new, or they could not be read while the lease was over.
      if (this.positions.current().some(position => !read.has(position))) this.reader.wake();
      this.giveUp(surplus);
    } catch (error) {
      this.logger.warn(`sharing ${this.membership.group} failed: ${String(error)}`);
      this.abandonLost(before);
    }
  }

  missed(): void {
    this.abandonLost(this.membership.held);
  }

  private async shutDown(): Promise<void> {
    // Keep the heartbeats until batches in progress are done, or their partitions would be given away.
    await this.reader.stop();
    // Nothing wakes it any more: its own departure would notify it too.
    this.onClosed();
    await this.starting;
    await this.heartbeats.remove(this);
    await this.membership
      .leave()
      .catch((error: unknown) => this.logger.warn(`leaving the group failed: ${String(error)}`));
  }

  private abandonLost(before: readonly Assignment[]): void {
    for (const assignment of before)
      if (!this.membership.isAssigned(assignment)) this.reader.abandon(this.positions.of(assignment));
  }

  // Surplus partitions are handed over when their batch in progress is done. This does not wait for that: the
  // heartbeat must go on meanwhile.
  private giveUp(surplus: readonly Assignment[]): void {
    for (const assignment of surplus) void this.handOver(assignment);
  }

  private async handOver(assignment: Assignment): Promise<void> {
    await this.reader.idle(this.positions.of(assignment));
    await this.membership.release(assignment).catch((error: unknown) => this.logger.warn(String(error)));
  }
}
