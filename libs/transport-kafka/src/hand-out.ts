import type { PartitionDelivery, ReadPosition } from '#messaging';
import type { Fetcher } from './fetcher.js';

export interface ReadOptions {
  /** Most messages in a batch. */
  readonly messages: number;
  /** Most payload bytes in a batch; it has at least one message. */
  readonly bytes: number;
  /** Removes the prefix from a topic name. */
  readonly nameOf: (topic: string) => string;
}

/** Hands fetched messages to every idle partition, and lets the fetcher fill the room that this frees. */
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
