import type { TransportSubscription } from '#messaging';
import type { PositionSource, Reader, LogPosition } from './reader.js';

/** A broadcast's positions. Only the instance keeps them, so a lost instance holds nothing back. */
export class OwnPositions implements PositionSource {
  constructor(private readonly positions: readonly LogPosition[]) {}

  current(): readonly LogPosition[] {
    return this.positions;
  }

  async commit(): Promise<boolean> {
    return true;
  }
}

export class BroadcastSubscription implements TransportSubscription {
  constructor(
    private readonly reader: Reader,
    private readonly onClosed: () => void,
  ) {}

  start(): void {
    this.reader.start();
  }

  wake(): void {
    this.reader.wake();
  }

  rebalance(): void {}

  async close(): Promise<void> {
    await this.reader.stop();
    this.onClosed();
  }
}
