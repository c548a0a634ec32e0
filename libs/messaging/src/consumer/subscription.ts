import type { EntityManager } from 'typeorm';
import type { EventDefinition } from '../message/define-event.js';
import type { ReceivedMessage } from '../message/received-message.js';
import type { RetryPolicy } from '../parking/retry-policy.js';

/** What a handler gets in addition to the events. */
export interface Delivery {
  /** The transaction of the receipts, the handler's writes and what it publishes. Absent for a broadcast. */
  readonly tx: EntityManager | undefined;
  /** The messages that carried the events, one for each. */
  readonly messages: readonly ReceivedMessage[];
}

export interface Route {
  readonly definition: EventDefinition;
  /** Whether the handler takes a list; else it takes one event. */
  readonly takesBatch: boolean;
  invoke(data: unknown, delivery: Delivery): Promise<void>;
}

/** The backlog at which a subscription raises an alert. */
export interface AlertPolicy {
  /** Messages still to settle. */
  readonly lag: number;
  /** The age of the oldest of them, in ms. */
  readonly ageMs: number;
}

export const DEFAULT_ALERTS: AlertPolicy = { lag: 50_000, ageMs: 60_000 };

/** One name, one group of competing instances, one place in each partition, and one route per event type. */
export interface Subscription {
  readonly name: string;
  /** Keyed by event type. A message of any other type is skipped. */
  readonly routes: ReadonlyMap<string, Route>;
  readonly mode: 'competing' | 'broadcast';
  readonly startFrom: 'start' | 'now';
  /** Most messages in one transaction. */
  readonly batch: number;
  readonly retry: RetryPolicy;
  /** How long one call of a handler may take, in ms; DEFAULT_HANDLER_MS where left out. */
  readonly timeoutMs?: number | undefined;
  /** DEFAULT_ALERTS where left out. */
  readonly alert?: Partial<AlertPolicy> | undefined;
}

export function topicsOf(subscription: Subscription): string[] {
  return [...new Set([...subscription.routes.values()].map(route => route.definition.topic))];
}
