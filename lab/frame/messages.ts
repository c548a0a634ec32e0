import { randomUUID } from 'node:crypto';
import {
  envelop,
  type EventDefinition,
  type EventOf,
  type ReceivedMessage,
  toWire,
  type WireMessage,
} from '#messaging';
import { until } from '#shop-kit';
import type { Stage } from './stage.js';

/** How long a group may take to handle what there is, in ms. */
const LONGEST_MS = 120_000;

/** An event as a message that a plain client of the queue sends. */
export function messageOf<D extends EventDefinition>(definition: D, event: EventOf<D>): WireMessage {
  return toWire(envelop(definition, event), 'lab');
}

/** Every message of the arm's topic, in order for each key. */
export async function readAll(stage: Stage): Promise<readonly ReceivedMessage[]> {
  const queue = await stage.queue();
  const group = `${stage.topic}-reader-${randomUUID().slice(0, 8)}`;
  const found: ReceivedMessage[] = [];
  const reading = {
    group,
    topics: [stage.topic],
    mode: 'competing',
    startFrom: 'start',
    maxBatch: 500,
  } as const;
  const subscription = await queue.subscribe(reading, async ({ messages }) => void found.push(...messages));
  await untilDone(stage, group);
  await subscription.close();
  return found;
}

/** Resolves when the group has handled everything that is in the arm's topic. */
export async function untilDone(stage: Stage, group: string): Promise<void> {
  const queue = await stage.queue();
  await until(
    `${group} to have handled everything`,
    () => queue.lag(group),
    partitions => partitions.length > 0 && partitions.every(({ lag }) => lag === 0),
    LONGEST_MS,
  );
}
