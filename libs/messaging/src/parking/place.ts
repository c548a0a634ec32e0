import type { ReceivedMessage } from '../message/received-message.js';

/** Where a message stands in a subscription: the address of a parked message and of a dead letter. */
export interface Place {
  readonly subscription: string;
  readonly topic: string;
  readonly partition: number;
  readonly position: number;
}

/** As the statements take it: $1 to $4. */
export function valuesOf({ subscription, topic, partition, position }: Place): readonly unknown[] {
  return [subscription, topic, partition, position];
}

/** The columns of a message as they are stored: key, headers, payload, time of appending. */
export function columnsOf({ key, headers, payload, appendedAt }: ReceivedMessage): readonly unknown[] {
  return [storable(key), JSON.stringify(headers), payload, appendedAt];
}

/** PostgreSQL's text has no NUL; a foreign producer's key may have one. */
export function storable(text: string): string {
  return text.replaceAll('\0', '\uFFFD');
}
