import { describe, expect, it } from '@jest/globals';
import { Registry } from 'prom-client';
import type { MessagingMonitor, WatchedState } from '#messaging';
import { gaugeQueues } from './queue-gauges.js';

const STATE = {
  subscriptions: [
    {
      name: 'points.follow-order',
      lag: 7,
      oldestAt: null,
      parked: 2,
      dead: 1,
      paused: null,
      waiting: { since: '2026-01-01T00:00:00Z', reason: 'away' },
    },
  ],
  outbox: { depth: 3, oldestAt: null, refused: 1 },
} as unknown as WatchedState;

describe('the metrics of a service', () => {
  it('tell what its queues have to do, from one look at them', async () => {
    const registry = new Registry();
    let looks = 0;
    const watched = async () => {
      looks += 1;
      return STATE;
    };
    gaugeQueues(registry, { watched } as unknown as MessagingMonitor);
    const text = await registry.metrics();
    const of = '{subscription="points.follow-order"}';
    for (const line of [
      `sluice_subscription_lag${of} 7`,
      `sluice_subscription_oldest_age_seconds${of} 0`,
      `sluice_subscription_parked${of} 2`,
      `sluice_subscription_dead${of} 1`,
      `sluice_subscription_paused${of} 0`,
      `sluice_subscription_waiting${of} 1`,
      'sluice_outbox_depth 3',
      'sluice_outbox_refused 1',
    ])
      expect(text.split('\n')).toContain(line);
    expect(looks).toBe(1);
  });

  it('are told without them when the queue is away', async () => {
    const registry = new Registry();
    gaugeQueues(registry, {
      watched: () => Promise.reject(new Error('away')),
    } as unknown as MessagingMonitor);
    expect(await registry.metrics()).not.toContain('sluice_subscription_lag{');
  });
});
