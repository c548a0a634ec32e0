import { Logger } from '@nestjs/common';
import { BackgroundTask, type TransportSubscription } from '#messaging';
import type { Assignment, Membership } from './membership.js';
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
export class GroupSubscription implements TransportSubscription {
  private readonly logger = new Logger(GroupSubscription.name);
  private readonly heartbeat: BackgroundTask;
  private starting: Promise<void> | undefined;
  private closing: Promise<void> | undefined;

  constructor(
    private readonly membership: Membership,
    private readonly positions: LeasedPositions,
    private readonly reader: Reader,
    private readonly onClosed: () => void,
  ) {
    const beat = async () => {
      await this.tick();
      return membership.heartbeatMs;
    };
    // A failed heartbeat is followed by the next one at its usual time: `beat` never throws.
    const backoff = { firstMs: membership.heartbeatMs, longestMs: membership.heartbeatMs };
    const onError = (error: unknown) => this.logger.error(String(error));
    this.heartbeat = new BackgroundTask(beat, { backoff, onError });
  }

  async start(): Promise<void> {
    this.starting = this.tick();
    await this.starting;
    this.reader.start();
    this.heartbeat.start();
  }

  /** New messages may have arrived. */
  wake(): void {
    this.reader.wake();
  }

  /** The members or the leases changed, or it is time for a heartbeat. */
  rebalance(): void {
    this.heartbeat.wake();
  }

  close(): Promise<void> {
    return (this.closing ??= this.shutDown());
  }

  private async shutDown(): Promise<void> {
    // Keep the heartbeats until batches in progress are done, or their partitions would be given away.
    await this.reader.stop();
    // Nothing wakes it any more: its own departure would notify it too.
    this.onClosed();
    await this.starting;
    await this.heartbeat.stop();
    await this.membership
      .leave()
      .catch((error: unknown) => this.logger.warn(`leaving the group failed: ${String(error)}`));
  }

  private async tick(): Promise<void> {
    const before = this.positions.current();
    try {
      if (this.closing !== undefined) return await this.membership.renew();
      const { surplus } = await this.membership.tick();
      for (const position of before)
        if (!this.membership.isAssigned(position.assignment)) this.reader.abandon(position);
      this.reader.wake();
      this.giveUp(surplus);
    } catch (error) {
      this.logger.warn(`heartbeat failed: ${String(error)}`);
      for (const position of before)
        if (!this.membership.isAssigned(position.assignment)) this.reader.abandon(position);
    }
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
