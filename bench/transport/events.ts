import { randomBytes, randomUUID } from 'node:crypto';
import type { Message } from 'kafkajs';
import { OrderPaid } from '#contracts';
import { headersOf, uuidv7 } from '#messaging';
import { COMPRESSION_TYPE, type Compression, connect } from './kafka-client.js';

/** How many messages our relay sends in one batch. */
const BATCH = 1_000;

/** A paid order whose JSON has this many bytes. */
export function anEvent(sequence: number, payloadBytes: number): OrderPaid {
  const event: OrderPaid = {
    orderId: randomUUID(),
    buyerId: `bench-${sequence % 20_000}`,
    origin: { kind: 'ordinary' },
    items: [{ sku: 'bench.SALE', quantity: 1, unitPriceMinor: 12_50 }],
    totalMinor: 12_50,
    currency: 'GBP',
    paymentId: randomUUID(),
    paidAt: new Date().toISOString(),
  };
  // Random text, so that compression has as much work as with real ids.
  const missing = Math.max(0, payloadBytes - JSON.stringify(event).length);
  return { ...event, buyerId: event.buyerId + randomBytes(missing).toString('hex').slice(0, missing) };
}

/** The event as our relay hands it to a transport, with the headers of CloudEvents and a trace. */
function aMessage(sequence: number, payloadBytes: number): Message {
  const event = anEvent(sequence, payloadBytes);
  const headers = headersOf({
    id: uuidv7(),
    type: OrderPaid.type,
    source: 'bench',
    time: new Date(),
    traceparent: `00-${randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-01`,
    sequence,
  });
  return { key: event.orderId, headers, value: Buffer.from(JSON.stringify(event)) };
}

function eventsFrom(first: number, count: number, payloadBytes: number): Message[] {
  return Array.from({ length: count }, (_, n) => aMessage(first + n, payloadBytes));
}

/** Batches as a relay makes them, one after the other. */
export function* batches(messages: number, payloadBytes: number): Generator<Message[]> {
  for (let first = 0; first < messages; first += BATCH)
    yield eventsFrom(first, Math.min(BATCH, messages - first), payloadBytes);
}

/** Sends as a relay must: each batch after the brokers have the last, so a failed send keeps the order. */
export async function sendAll(
  {
    brokers,
    topic,
    compression = 'none',
  }: { brokers: readonly string[]; topic: string; compression?: Compression },
  work: (send: (messages: Message[]) => Promise<unknown>) => Promise<void>,
): Promise<void> {
  const producer = connect(brokers).producer({ idempotent: true, maxInFlightRequests: 1 });
  await producer.connect();
  try {
    await work(messages =>
      producer.sendBatch({
        acks: -1,
        compression: COMPRESSION_TYPE[compression],
        topicMessages: [{ topic, messages }],
      }),
    );
  } finally {
    await producer.disconnect();
  }
}
