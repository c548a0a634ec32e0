import type { EntityManager } from 'typeorm';
import { z } from 'zod';
import { DEFAULT_RETRY, defineEvent, type RetryPolicy, type Subscription } from '#messaging';

const schema = z.object({ key: z.string(), n: z.int() });
export const Happened = defineEvent({
  type: 'test.happened.v1',
  topic: 'test',
  key: event => event.key,
  schema,
});
export type Event = z.output<typeof schema>;

/** Three attempts, one right after the other. */
export const SOON: RetryPolicy = { ...DEFAULT_RETRY, attempts: 3, firstMs: 1, longestMs: 1 };

/** The subscription of the tests, with this handler. */
export function following(
  handle: (event: Event, tx: EntityManager) => Promise<void>,
  retry: RetryPolicy = SOON,
): Subscription {
  const invoke = (data: unknown, { tx }: { tx: EntityManager | undefined }) => handle(data as Event, tx!);
  const routes = new Map([[Happened.type, { definition: Happened, takesBatch: false, invoke }]]);
  const rest = { mode: 'competing', startFrom: 'start', batch: 50 } as const;
  return { name: 'test.follow', routes, retry, ...rest };
}
