import { Logger } from '@nestjs/common';
import type { TransportSubscription } from '#messaging';
import type { Assignment, Membership } from './membership.js';
import type { PositionSource, Reader, LogPosition } from './reader.js';

interface AssignedPosition extends LogPosition {
  readonly assignment: Assignment;
}

/** The partitions that a membership gives, as a reader wants them: one object for as long as an epoch lasts. */
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
  private ticking: Promise<void> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private again = false;
  private closing: Promise<void> | undefined;

  constructor(
    private readonly membership: Membership,
    private readonly positions: LeasedPositions,
    private readonly reader: Reader,
    private readonly onClosed: () => void,
  ) {}

  async start(): Promise<void> {
    this.rebalance();
    await this.ticking;
    this.reader.start();
    this.timer = setInterval(() => this.rebalance(), this.membership.heartbeatMs);
  }

  /** New messages may be there. */
  wake(): void {
    this.reader.wake();
  }

  /** The members or the leases changed, or it is time for a heartbeat. */
  rebalance(): void {
    if (this.ticking !== undefined) {
      this.again = true;
      return;
    }
    this.again = false;
    this.ticking = this.tick().finally(() => {
      this.ticking = undefined;
      if (this.again && this.closing === undefined) this.rebalance();
    });
  }

  close(): Promise<void> {
    return (this.closing ??= this.shutDown());
  }

  private async shutDown(): Promise<void> {
    // Heartbeats go on while what is in hand is finished, or its partition would be given away meanwhile.
    await this.reader.stop();
    clearInterval(this.timer);
    // Nobody wakes it any more: its own leaving is news that it would hear.
    this.onClosed();
    await this.ticking;
    await this.membership
      .leave()
      .catch((error: unknown) => this.logger.warn(`left without saying so: ${String(error)}`));
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

  // What falls to somebody else is handed over when the batch in hand is done. Not waited for: the heartbeat
  // must go on meanwhile.
  private giveUp(surplus: readonly Assignment[]): void {
    for (const assignment of surplus) void this.handOver(assignment);
  }

  private async handOver(assignment: Assignment): Promise<void> {
    await this.reader.idle(this.positions.of(assignment));
    await this.membership.release(assignment).catch((error: unknown) => this.logger.warn(String(error)));
  }
}
