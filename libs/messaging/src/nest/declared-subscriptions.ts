import { isObservable, lastValueFrom } from 'rxjs';
import type { Route, Subscription } from '../consumer/subscription.js';
import { DEFAULT_RETRY } from '../parking/retry-policy.js';
import type { HandlerExtras } from './handle.js';
import { asDelivery } from './delivery-error.filter.js';
import { MessageContext } from './message-context.js';

/** A handler as Nest registers it with a server. */
export type NestHandler = ((data: unknown, context: MessageContext) => Promise<unknown>) & {
  extras?: Record<string, unknown>;
};

/** The subscriptions that `@Handle` methods declare. @throws Error when two handlers contradict each other */
export function declaredSubscriptions(handlers: ReadonlyMap<string, NestHandler>): Subscription[] {
  const found = new Map<string, { extras: HandlerExtras; routes: Map<string, Route> }>();
  for (const handler of handlers.values()) {
    const extras = handler.extras as unknown as HandlerExtras;
    const entry = found.get(extras.name) ?? { extras, routes: new Map<string, Route>() };
    if (entry.routes.has(extras.definition.type) || 'next' in handler) {
      throw new Error(
        `${extras.name} handles ${extras.definition.type} twice; give one of the two another name`,
      );
    }
    if (entry.extras.broadcast !== extras.broadcast) {
      throw new Error(
        `${extras.name} is a broadcast in one place and competing in another; give them two names`,
      );
    }
    for (const value of ['batch', 'startFrom', 'timeoutMs'] as const) {
      if (entry.extras[value] !== extras[value])
        throw new Error(
          `${extras.name} has two values of ${value}; its handlers share one place in the queue`,
        );
    }
    for (const policy of ['retry', 'alert'] as const) {
      if (JSON.stringify(entry.extras[policy]) !== JSON.stringify(extras[policy]))
        throw new Error(`${extras.name} has two different ${policy} policies; its handlers must share one`);
    }
    entry.routes.set(extras.definition.type, toRoute(handler, extras));
    found.set(extras.name, entry);
  }
  return [...found].map(([name, { extras, routes }]) => ({
    name,
    routes,
    mode: extras.broadcast ? 'broadcast' : 'competing',
    startFrom: extras.startFrom ?? 'start',
    batch: extras.batch ?? 1,
    retry: { ...DEFAULT_RETRY, ...extras.retry },
    timeoutMs: extras.timeoutMs,
    alert: extras.alert,
  }));
}

function toRoute(handler: NestHandler, extras: HandlerExtras): Route {
  return {
    definition: extras.definition,
    takesBatch: extras.batch !== undefined,
    async invoke(data, delivery) {
      const context = new MessageContext(extras.name, delivery);
      await asDelivery(async () => {
        const result = await handler(data, context);
        if (isObservable(result)) await lastValueFrom(result, { defaultValue: undefined });
      });
    },
  };
}
