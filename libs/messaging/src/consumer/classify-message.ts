import { decode, Header, LONGEST_KEY } from '../message/envelope.js';
import { rememberOrigin } from '../message/trace.js';
import type { ReceivedMessage } from '../message/received-message.js';
import type { Route, Subscription } from './subscription.js';

export interface ToHandle {
  readonly kind: 'handle';
  readonly message: ReceivedMessage;
  readonly id: string;
  readonly route: Route;
  readonly event: unknown;
}

/** What to do with a message, decided by its headers and its contract alone. */
export type Classified =
  | ToHandle
  | { readonly kind: 'skip'; readonly message: ReceivedMessage }
  | { readonly kind: 'dead'; readonly message: ReceivedMessage; readonly problem: string };

/** Whether its key can be kept in an index. */
export function isKeyed({ key }: ReceivedMessage): boolean {
  return Buffer.byteLength(key) <= LONGEST_KEY;
}

export function classifyMessage(subscription: Subscription, message: ReceivedMessage): Classified {
  const type = message.headers[Header.type];
  const id = message.headers[Header.id];
  if (type === undefined) return { kind: 'dead', message, problem: `header ${Header.type} is missing` };
  if (!id || id.includes('\0') || Buffer.byteLength(id) > LONGEST_KEY) {
    const problem = `header ${Header.id} is missing, has a NUL or is longer than ${LONGEST_KEY} bytes`;
    return { kind: 'dead', message, problem };
  }
  if (!isKeyed(message))
    return { kind: 'dead', message, problem: `its key is longer than ${LONGEST_KEY} bytes` };
  const route = subscription.routes.get(type);
  if (route === undefined) return { kind: 'skip', message };
  const decoded = decode(route.definition, message);
  if (!decoded.ok) return { kind: 'dead', message, problem: decoded.problem };
  rememberOrigin(decoded.event, message.headers[Header.traceparent]);
  return { kind: 'handle', message, id, route, event: decoded.event };
}

export interface Segment {
  readonly route: Route;
  readonly items: ToHandle[];
}

/**
 * Groups messages by handler into as few calls as the order per key allows: a message joins the first call of
 * its handler that does not come before an earlier message of its key.
 */
export function segment(items: readonly ToHandle[]): Segment[] {
  const segments: Segment[] = [];
  const lastOfKey = new Map<string, number>();
  for (const item of items) {
    const earliest = lastOfKey.get(item.message.key) ?? 0;
    let index = segments.findIndex((candidate, at) => at >= earliest && candidate.route === item.route);
    if (index === -1) index = segments.push({ route: item.route, items: [] }) - 1;
    segments[index]!.items.push(item);
    lastOfKey.set(item.message.key, index);
  }
  return segments;
}
