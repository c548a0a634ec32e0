import type { EntityManager } from 'typeorm';
import { Header } from '../message/envelope.js';
import { runInTrace } from '../message/trace.js';
import { asError } from '../runtime/describe-error.js';
import { segment, type ToHandle } from './classify-message.js';
import { DEFAULT_HANDLER_MS, withinLimit } from './handler-limit.js';
import type { Subscription } from './subscription.js';

/**
 * Calls the handlers of messages in order: one call for a list where the handler takes one, each in its trace and
 * within its time.
 */
export async function invokeHandlers(
  { name, timeoutMs = DEFAULT_HANDLER_MS }: Subscription,
  items: readonly ToHandle[],
  tx: EntityManager,
): Promise<void> {
  const call = (item: ToHandle, invoke: () => Promise<void>) =>
    callInTrace(item, () => withinLimit(name, timeoutMs, invoke));
  for (const { route, items: together } of segment(items)) {
    if (route.takesBatch) {
      const messages = together.map(item => item.message);
      const events = together.map(item => item.event);
      await call(together[0]!, () => route.invoke(events, { tx, messages }));
    } else {
      for (const item of together)
        await call(item, () => route.invoke(item.event, { tx, messages: [item.message] }));
    }
  }
}

async function callInTrace(item: ToHandle, invoke: () => Promise<void>): Promise<void> {
  try {
    await runInTrace(item.message.headers[Header.traceparent], invoke);
  } catch (thrown) {
    throw asError(thrown);
  }
}
