import { Header, type WireMessage } from './envelope.js';

/** One partition of a topic. */
export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** A message as a transport delivers it. */
export interface ReceivedMessage extends WireMessage {
  /** Its place in the partition; grows with every message. */
  readonly position: number;
  readonly appendedAt: Date;
}

/** The event type of a message; empty if it names none. */
export function typeOf({ headers }: WireMessage): string {
  return headers[Header.type] ?? '';
}

/** The name of a partition, for logs and for keys of maps: `order/3`. */
export function partitionName({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`;
}

export function isSamePartition(a: TopicPartition, b: TopicPartition): boolean {
  return a.topic === b.topic && a.partition === b.partition;
}
