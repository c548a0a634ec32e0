import 'reflect-metadata';
import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { Ctx, EventPattern, Payload } from '@nestjs/microservices';
import type { EntityManager } from 'typeorm';
import type { EventDefinition, EventOf } from '../message/define-event.js';
import type { AlertPolicy } from '../consumer/subscription.js';
import type { RetryPolicy } from '../parking/retry-policy.js';
import { MessageContext } from './message-context.js';

/** Marks handlers that MessagingServer delivers to, and no other server of the app. */
export const MESSAGING_SERVER_ID = Symbol('sluice.messaging');

export interface HandleOptions {
  /** The subscription: `<service>.<what-it-does>`. Handlers of one name share one place in the queue, in order. */
  readonly name: string;
  /** Most messages in one transaction. If set, the handler takes a list; otherwise it takes one event. */
  readonly batch?: number;
  /** Every instance gets a copy, from now on, without a transaction. */
  readonly broadcast?: boolean;
  /** Where a new subscription begins; `start` if left out. */
  readonly startFrom?: 'start' | 'now';
  /** How long one call may take, in ms; then it is abandoned and counts as failed. Two minutes if left out. */
  readonly timeoutMs?: number;
  /** What happens to a message whose handler fails; DEFAULT_RETRY where left out. Not for a broadcast. */
  readonly retry?: Partial<RetryPolicy>;
  /** The backlog at which an alert is raised; DEFAULT_ALERTS where left out. Not for a broadcast. */
  readonly alert?: Partial<AlertPolicy>;
}

export interface HandlerExtras extends HandleOptions {
  readonly definition: EventDefinition;
}

type One<D> = (event: EventOf<D>, tx: EntityManager, context: MessageContext) => Promise<void> | void;
type Many<D> = (
  events: readonly EventOf<D>[],
  tx: EntityManager,
  context: MessageContext,
) => Promise<void> | void;
type Copy<D> = (event: EventOf<D>) => Promise<void> | void;

type MethodOf<Handler> = <H extends Handler>(
  target: object,
  key: string | symbol,
  descriptor: TypedPropertyDescriptor<H>,
) => void;

const Transaction = createParamDecorator(
  (_: unknown, context: ExecutionContext): EntityManager | undefined => {
    const rpc: unknown = context.switchToRpc().getContext();
    return rpc instanceof MessageContext ? rpc.tx : undefined;
  },
);

/**
 * Subscribes a controller's method to an event. The method gets parsed data, the transaction and the context,
 * in this order. It never acknowledges, retries or parses. When it returns, the messages are done. When it
 * throws, a message is retried by its retry policy, and the others of its key wait for it. Its writes through
 * `tx`, the receipts and what it publishes with `tx` are one transaction.
 */
export function Handle<D extends EventDefinition>(
  definition: D,
  options: HandleOptions & { broadcast: true; batch?: never },
): MethodOf<Copy<D>>;
export function Handle<D extends EventDefinition>(
  definition: D,
  options: HandleOptions & { batch: number; broadcast?: false },
): MethodOf<Many<D>>;
export function Handle<D extends EventDefinition>(
  definition: D,
  options: HandleOptions & { batch?: undefined; broadcast?: false },
): MethodOf<One<D>>;
export function Handle(definition: EventDefinition, options: HandleOptions): MethodDecorator {
  const extras: HandlerExtras = { ...options, definition };
  return (target, key, descriptor) => {
    Payload()(target, key, 0);
    Transaction()(target, key, 1);
    Ctx()(target, key, 2);
    const pattern = `${options.name} <- ${definition.type}`;
    (EventPattern(pattern, MESSAGING_SERVER_ID, { ...extras }) as MethodDecorator)(target, key, descriptor);
  };
}
