import type { AlertPolicy } from '../consumer/subscription.js';
import { outboxOf } from '../publisher/relay.js';
import type { Alert, SubscriptionState } from './states.js';

/** Limits for a service's alerts that do not depend on one subscription's policy. */
export interface AlertLimits {
  /** Parked messages; lower than the limit at which the subscription waits. */
  readonly parked: number;
  /** How long a subscription waits for an outage to end, or for room, in ms. */
  readonly waitingMs: number;
  /** Events committed and not yet sent. */
  readonly outbox: number;
  /** How long such an event waits, in ms. */
  readonly outboxAgeMs: number;
}

export type AlertKind = Alert['kind'];

/** The figures that are checked. Undefined: the transport could not report it. */
export interface WatchedState {
  readonly subscriptions: readonly (Pick<
    SubscriptionState,
    'name' | 'parked' | 'dead' | 'paused' | 'waiting' | 'lost'
  > & {
    readonly lag: number | undefined;
    readonly oldestAt: string | null | undefined;
  })[];
  readonly outbox: {
    /** Events committed and not yet sent. */
    readonly depth: number;
    /** Since when the oldest of them waits. */
    readonly oldestAt: string | null;
    /** Events that the queue refused and nobody has decided on. */
    readonly refused: number;
  };
}

/** One figure that is watched. */
export interface Reading {
  /** The subscription, or the service's outbox. */
  readonly subject: string;
  readonly kind: AlertKind;
  /** Undefined if it could not be read; then no alert is raised or cleared. */
  readonly value: number | undefined;
  /** An alert is raised at this value and cleared at half of it, so that it does not flap. */
  readonly threshold: number;
}

export interface OpenAlert {
  readonly id: string;
  readonly subject: string;
  readonly kind: AlertKind;
  /** The figure as its text tells it. */
  readonly value: number;
}

/** A figure that could be read. */
export interface Read extends Reading {
  readonly value: number;
}

function isRead(reading: Reading): reading is Read {
  return reading.value !== undefined;
}

/** Every watched figure of a service. */
export function readingsOf(
  service: string,
  { subscriptions, outbox }: WatchedState,
  policyOf: (subscription: string) => AlertPolicy,
  limits: AlertLimits,
  now: Date,
): Reading[] {
  const since = (at: string | null) => (at === null ? 0 : Math.max(0, now.getTime() - Date.parse(at)));
  const watched = subscriptions.flatMap(({ name, lag, oldestAt, parked, dead, waiting, lost }): Reading[] => {
    const { lag: longest, ageMs } = policyOf(name);
    return [
      { subject: name, kind: 'lag', value: lag, threshold: longest },
      {
        subject: name,
        kind: 'age',
        value: oldestAt === undefined ? undefined : since(oldestAt),
        threshold: ageMs,
      },
      { subject: name, kind: 'parked', value: parked, threshold: limits.parked },
      { subject: name, kind: 'dead', value: dead, threshold: 1 },
      { subject: name, kind: 'lost', value: lost, threshold: 1 },
      { subject: name, kind: 'waiting', value: since(waiting?.since ?? null), threshold: limits.waitingMs },
    ];
  });
  const subject = outboxOf(service);
  return [
    ...watched,
    { subject, kind: 'outbox', value: outbox.depth, threshold: limits.outbox },
    { subject, kind: 'age', value: since(outbox.oldestAt), threshold: limits.outboxAgeMs },
    { subject, kind: 'dead', value: outbox.refused, threshold: 1 },
  ];
}

/** Pure. An alert is cleared when its figure is no longer watched, and updated when its figure has changed. */
export function decideAlerts(
  open: readonly OpenAlert[],
  readings: readonly Reading[],
): {
  readonly raise: readonly Read[];
  readonly clear: readonly OpenAlert[];
  readonly update: readonly Read[];
} {
  const nameOf = ({ subject, kind }: Pick<Reading, 'subject' | 'kind'>) => `${kind} ${subject}`;
  const raised = new Map(open.map(alert => [nameOf(alert), alert]));
  const byName = new Map(readings.map(reading => [nameOf(reading), reading]));
  const read = readings.filter(isRead);
  return {
    raise: read.filter(each => each.value >= each.threshold && !raised.has(nameOf(each))),
    update: read.filter(each => {
      const told = raised.get(nameOf(each));
      return told !== undefined && each.value > each.threshold / 2 && told.value !== each.value;
    }),
    clear: open.filter(alert => {
      const reading = byName.get(nameOf(alert));
      return reading === undefined || (isRead(reading) && reading.value <= reading.threshold / 2);
    }),
  };
}

/** The text of an alert, with where to look next. */
export function tellAlert({ subject, kind, value, threshold }: Read): string {
  const seconds = (length: number) => `${Math.round(length / 1_000)} s`;
  const subscriptions = 'see GET /api/admin/messaging/subscriptions';
  switch (kind) {
    case 'lag':
      return `${subject} has ${value} messages to settle (alert threshold: ${threshold}); ${subscriptions}`;
    case 'age':
      return (
        `${subject} has had an unsettled message for ${seconds(value)} ` +
        `(alert threshold: ${seconds(threshold)}); ${subscriptions}, and the log of the service for its outbox`
      );
    case 'parked':
      return (
        `${subject} has ${value} messages parked (alert threshold: ${threshold}); ` +
        `at its limit it waits; ${subscriptions}`
      );
    case 'dead':
      return `${subject} has ${value} dead letter(s) to decide on; see GET /api/admin/messaging/dead-letters?subscription=${subject}`;
    case 'waiting':
      return (
        `${subject} has waited for ${seconds(value)} (alert threshold: ${seconds(threshold)}); ` +
        'the reason is in GET /api/admin/messaging/subscriptions'
      );
    case 'lost':
      return (
        `${subject}: the queue has lost ${value} message(s) that it had not settled, or was replaced; ` +
        `compare what they told with their source; ${subscriptions}`
      );
    case 'outbox':
      return (
        `${subject} has ${value} events to send (alert threshold: ${threshold}); ` +
        "check the queue's health and the service's log"
      );
  }
}
