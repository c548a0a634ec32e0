import { randomUUID } from 'node:crypto';
import { MessagingServer, type Route } from '#messaging';
import type { ShopInProcess } from './shop-in-process.js';

export type Event = Readonly<Record<string, unknown>>;

/** Calls the handler as it is, with these events. */
type Call = (events: readonly Event[]) => Promise<void>;

/** What is done instead of calling the handler. @returns how many events were treated as they should be */
export type Fault = (call: Call, events: readonly Event[]) => Promise<number>;

/** A switched-on fault. */
export interface Broken {
  /** How often the fault made a difference to what the handler was given. */
  readonly struck: () => number;
  readonly undo: () => void;
}

/** The handlers of the shop's messages, as its apps declare them. Each can be broken from outside. */
export class Handlers {
  private readonly routes = new Map<string, Route>();
  private readonly handled = new Map<string, number>();
  private broken: { name: string; fault: Fault; struck: number } | undefined;

  constructor(shop: ShopInProcess) {
    for (const { app, hasMessages } of shop.apps) {
      if (!hasMessages) continue;
      for (const { name, routes } of app.get(MessagingServer).subscriptions)
        for (const [type, route] of routes) this.watch(`${name} <- ${type}`, route);
    }
  }

  /** `<subscription> <- <event>` of each. */
  get names(): string[] {
    return [...this.routes.keys()].sort();
  }

  /** How many events each has got. */
  countOf(name: string): number {
    return this.handled.get(name) ?? 0;
  }

  break(name: string, fault: Fault): Broken {
    if (!this.routes.has(name)) throw new Error(`no app has a handler ${name}`);
    const broken = { name, fault, struck: 0 };
    this.broken = broken;
    return { struck: () => broken.struck, undo: () => (this.broken = undefined) };
  }

  private watch(name: string, route: Route): void {
    this.routes.set(name, route);
    const { takesBatch } = route;
    const invoke = route.invoke.bind(route);
    route.invoke = async (data, delivery) => {
      const events = (takesBatch ? data : [data]) as readonly Event[];
      this.handled.set(name, this.countOf(name) + events.length);
      const { broken } = this;
      if (broken?.name !== name) return invoke(data, delivery);
      const call: Call = async list => {
        const calls = !takesBatch ? list : list.length > 0 ? [list] : [];
        for (const each of calls) await invoke(each, delivery);
      };
      broken.struck += events.length;
      broken.struck -= await broken.fault(call, events);
    };
  }
}

/** The handler does nothing. */
export const nothing: Fault = () => Promise.resolve(0);

/** The handler is called twice with the same events. */
export const again: Fault = async (call, events) => {
  await call(events);
  await call(events);
  return 0;
};

/** The handler is called once more with copies under ids of their own, for which nothing is done yet. */
export const underOtherIds: Fault = async (call, events) => {
  await call(events);
  await call(events.map(withNewIds));
  return 0;
};

/** Every second event that concerns the handler is dropped. */
export function half(concerns: (event: Event) => boolean = () => true): Fault {
  let seen = 0;
  return async (call, events) => {
    const kept = events.filter(event => !concerns(event) || seen++ % 2 === 0);
    await call(kept);
    return kept.length;
  };
}

/** Half of every amount and quantity. */
export const lessened: Fault = async (call, events) => {
  await call(events.map(event => halved(event) as Event));
  return 0;
};

const IDS = ['orderId', 'refundId', 'reservationId', 'paymentId'];

function withNewIds(event: Event): Event {
  const ids = IDS.filter(id => id in event).map(id => [id, randomUUID()]);
  return { ...event, ...(Object.fromEntries(ids) as Event) };
}

const AMOUNTS = ['quantity', 'amountMinor', 'totalMinor', 'paidMinor'];

function halved(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(halved);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([name, part]: [string, unknown]) => [
    name,
    AMOUNTS.includes(name) ? Math.floor((part as number) / 2) : halved(part),
  ]);
  return Object.fromEntries(entries);
}
