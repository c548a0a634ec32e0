import type { EntityManager } from 'typeorm';
import type { AlertPolicy } from '../control/alert-policy.js';
import type { EventDefinition } from '../message/define-event.js';
import type { RetryPolicy } from '../retry/policy.js';
import type { ReceivedMessage } from '../transport/transport.js';

/** What a handler gets beside the events. */
export interface Delivery {
  /** The transaction of the receipts, the handler's writes and what it publishes. Absent for a broadcast. */
  readonly tx: EntityManager | undefined;
  /** The messages that the events came in, one for one. */
  readonly messages: readonly ReceivedMessage[];
}

export interface Route {
  readonly definition: EventDefinition;
  /** Whether the handler takes a list; else it takes one event. */
  readonly takesBatch: boolean;
  invoke(data: unknown, delivery: Delivery): Promise<void>;
}

/** One name, one group of competing instances, one place in each partition; as many event types as it has routes. */
export interface Subscription {
  readonly name: string;
  /** Keyed by event type. A message of any other type is passed over. */
  readonly routes: ReadonlyMap<string, Route>;
  readonly mode: 'competing' | 'broadcast';
  readonly startFrom: 'start' | 'now';
  /** Most messages in one transaction. */
  readonly batch: number;
  readonly retry: RetryPolicy;
  /** From where on its backlog is worth an alert; DEFAULT_ALERTS where left out. */
  readonly alert?: Partial<AlertPolicy> | undefined;
}

export function topicsOf(subscription: Subscription): string[] {
  return [...new Set([...subscription.routes.values()].map(route => route.definition.topic))];
}
