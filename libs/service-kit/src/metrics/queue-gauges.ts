import { Gauge, type Registry } from 'prom-client';
import type { MessagingMonitor, WatchedState } from '#messaging';

/** How long one reading of the queues stays valid, in ms: all gauges of one scrape show the same moment. */
const GOOD_FOR_MS = 1_000;

/** Gauges of a service's queues, read when its metrics are. Every instance reports the same. */
export function gaugeQueues(registry: Registry, monitor: MessagingMonitor): void {
  let looked: { at: number; state: Promise<WatchedState> } | undefined;
  const look = () => {
    if (looked === undefined || performance.now() - looked.at > GOOD_FOR_MS)
      looked = { at: performance.now(), state: monitor.watched() };
    return looked.state;
  };
  const gauge = (
    name: string,
    help: string,
    labelNames: string[],
    set: (gauge: Gauge, state: WatchedState) => void,
  ) =>
    new Gauge({
      name,
      help,
      labelNames,
      registers: [registry],
      async collect() {
        // A database that is unavailable has no figures; the process's own are still reported.
        const state = await look().catch(() => undefined);
        this.reset();
        if (state !== undefined) set(this, state);
      },
    });
  const each = (
    name: string,
    help: string,
    value: (state: WatchedState['subscriptions'][number]) => number | undefined,
  ) =>
    gauge(`sluice_subscription_${name}`, help, ['subscription'], (target, { subscriptions }) => {
      for (const state of subscriptions) {
        const figure = value(state);
        if (figure !== undefined) target.set({ subscription: state.name }, figure);
      }
    });
  each('lag', 'Messages still to settle.', ({ lag }) => lag);
  each('oldest_age_seconds', 'Age of the oldest message still to settle.', ({ oldestAt }) =>
    oldestAt === undefined ? undefined : ageOf(oldestAt),
  );
  each('parked', 'Messages parked.', ({ parked }) => parked);
  each('dead', 'Dead letters to decide on.', ({ dead }) => dead);
  each('paused', '1 while an operator has paused it.', ({ paused }) => (paused === null ? 0 : 1));
  each('waiting', '1 while it waits for an outage to end, or for room.', ({ waiting }) =>
    waiting === null ? 0 : 1,
  );
  gauge('sluice_outbox_depth', 'Events committed and not yet sent.', [], (target, { outbox }) =>
    target.set(outbox.depth),
  );
  gauge(
    'sluice_outbox_oldest_age_seconds',
    'Age of the oldest event committed and not yet sent.',
    [],
    (target, { outbox }) => target.set(ageOf(outbox.oldestAt)),
  );
  gauge('sluice_outbox_refused', 'Events that the queue refused, to decide on.', [], (target, { outbox }) =>
    target.set(outbox.refused),
  );
}

function ageOf(since: string | null): number {
  return since === null ? 0 : Math.max(0, Date.now() - Date.parse(since)) / 1_000;
}
