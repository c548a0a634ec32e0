import type { PartitionDelivery, ReadPosition } from '#messaging';
import type { Fetcher } from './fetcher.js';

export interface ReadOptions {
  /** Most messages in a batch. */
  readonly messages: number;
  /** Most payload bytes in a batch; it has at least one message. */
  readonly bytes: number;
  /** Takes the prefix off a topic. */
  readonly nameOf: (topic: string) => string;
}

/** Hands out what has been fetched, wherever no batch is in hand, and lets the fetcher fill what is free again. */
export function handOut(
  positions: readonly ReadPosition[],
  fetcher: Fetcher,
  delivery: PartitionDelivery<ReadPosition>,
  { messages: most, bytes }: ReadOptions,
): void {
  for (const position of positions) {
    if (delivery.stopping || delivery.isBusy(position)) continue;
    const messages = fetcher.peek(position, most, bytes);
    if (messages.length > 0) delivery.deliver(position, messages, messages.length >= most);
  }
  fetcher.wake();
}
