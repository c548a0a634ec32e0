import { collectDefaultMetrics, Counter, Registry } from 'prom-client';
import { failedChannel, type FailedSignal, settledChannel, type SettledSignal } from '#messaging';

/** How often the lag of the event loop is measured, in ms. Each time wakes the process. */
const LAG_EVERY_MS = 5_000;

/** The process's metrics, including those of its subscriptions. */
export function createRegistry(service: string, instance: string): Registry {
  const registry = new Registry();
  registry.setDefaultLabels({ service, instance });
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: LAG_EVERY_MS });
  const messages = new Counter({
    name: 'sluice_messages_total',
    help: 'Messages settled, by subscription and outcome.',
    labelNames: ['subscription', 'outcome'],
    registers: [registry],
  });
  const failures = new Counter({
    name: 'sluice_batch_failures_total',
    help: 'Batches whose handler failed, by subscription.',
    labelNames: ['subscription'],
    registers: [registry],
  });
  settledChannel.subscribe(message => {
    const { subscription, ...counts } = message as SettledSignal;
    for (const outcome of ['handled', 'skipped', 'duplicate', 'parked', 'dead'] as const) {
      if (counts[outcome] > 0) messages.inc({ subscription, outcome }, counts[outcome]);
    }
  });
  failedChannel.subscribe(message => failures.inc({ subscription: (message as FailedSignal).subscription }));
  return registry;
}
