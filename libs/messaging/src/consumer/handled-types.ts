import type { Subscription } from './subscription.js';

const handled = new WeakMap<Subscription, Map<string, number>>();

/** Counts messages that this process has handled: evidence that what the handler of their type needs is there. */
export function noteHandled(subscription: Subscription, types: Iterable<string>): void {
  const counts = handled.get(subscription) ?? new Map<string, number>();
  handled.set(subscription, counts);
  for (const type of types) counts.set(type, (counts.get(type) ?? 0) + 1);
}

/** How many messages of the type this process has handled in the subscription. */
export function countHandled(subscription: Subscription, type: string): number {
  return handled.get(subscription)?.get(type) ?? 0;
}
