import type { ReceivedMessage } from '../message/received-message.js';

/** Where a message stands in a subscription: the address of a parked message and of a dead letter. */
export interface Place {
  readonly subscription: string;
  readonly topic: string;
  readonly partition: number;
  readonly position: number;
}

/** The place as parameters of the statements: $1 to $4. */
export function valuesOf({ subscription, topic, partition, position }: Place): readonly unknown[] {
  return [subscription, topic, partition, position];
}

/** The columns of a message as they are stored: key, headers, payload, time of appending. */
export function columnsOf({ key, headers, payload, appendedAt }: ReceivedMessage): readonly unknown[] {
  return [storable(key), JSON.stringify(headers), payload, appendedAt];
}

/** PostgreSQL's text type cannot hold a NUL; a foreign producer's key may contain one. */
export function storable(text: string): string {
  return text.replaceAll('\0', '\uFFFD');
}
