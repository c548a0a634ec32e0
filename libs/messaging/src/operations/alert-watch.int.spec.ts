import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Webhook } from 'standardwebhooks';
import { eventually, Gathered, Happened, MessagingFixture } from '#testkit';
import type { WireMessage } from '../message/envelope.js';
import { DEFAULT_ALERTS } from '../consumer/subscription.js';
import type { Transport } from '../transport/transport.js';
import type { WatchedState } from './alert-policy.js';
import { AlertWatch, type AlertWatchLimits } from './alert-watch.js';
import { MessagingMonitor } from './messaging-monitor.js';
import { AlertWebhook } from './alert-webhook.js';

const LIMITS: AlertWatchLimits = {
  parked: 10,
  waitingMs: 1_000,
  outbox: 100,
  outboxAgeMs: 60_000,
  pollMs: 5,
  leaseMs: 300,
  notices: 10,
  noticesKept: 3,
  keepDays: 30,
};
const SECRET = `whsec_${Buffer.from('a secret of the test').toString('base64')}`;

describe('alerts of a service', () => {
  let fixture: MessagingFixture;
  let outbox = 0;
  const told = new Gathered<string>();
  const known = new Set<string>();
  let refuse: number | undefined;
  let endpoint: Server;
  const watches: AlertWatch[] = [];

  beforeEach(async () => {
    fixture = await MessagingFixture.start();
    outbox = 0;
    refuse = undefined;
    told.items.length = 0;
    endpoint = createServer((request, response) => {
      void (async () => {
        const text = Buffer.concat(await request.toArray()).toString();
        const { data } = new Webhook(SECRET).verify(text, request.headers as Record<string, string>) as {
          data: { kind: string };
        };
        const id = String(request.headers['webhook-id']);
        // The endpoint ignores ids that it knows: a watcher repeats a notice whose answer it missed.
        if (refuse === undefined && !known.has(id)) told.add(`${data.kind} ${id.split('.')[1]}`);
        if (refuse === undefined) known.add(id);
        response.writeHead(refuse ?? 200).end();
      })();
    });
    endpoint.listen(0, '127.0.0.1');
    await once(endpoint, 'listening');
  });

  afterEach(async () => {
    await Promise.all(watches.splice(0).map(watch => watch.stop()));
    await fixture.stop();
    endpoint.close();
  });

  const depth = () =>
    Promise.resolve({ subscriptions: [], outbox: { depth: outbox, oldestAt: null, refused: 0 } });

  function watch(instance: string, look: () => Promise<WatchedState> = depth): AlertWatch {
    const { port } = endpoint.address() as AddressInfo;
    const webhook = new AlertWebhook({ url: `http://127.0.0.1:${port}/`, secret: SECRET });
    const started = new AlertWatch(
      fixture.database,
      'test',
      instance,
      look,
      () => DEFAULT_ALERTS,
      webhook,
      LIMITS,
    );
    watches.push(started);
    started.start();
    return started;
  }

  it('are raised once and cleared once, whoever watches and whatever is restarted', async () => {
    const one = watch('one');
    const two = watch('two');
    outbox = 100;
    await told.count(1);
    await one.stop();
    await two.stop();
    const three = watch('three');
    outbox = 0;
    await told.count(2);
    outbox = 100;
    await told.count(3);
    expect(told.items).toEqual(['outbox raised', 'outbox cleared', 'outbox raised']);
    expect(await three.list(10, true)).toMatchObject([
      { subject: 'test.outbox', value: 100, clearedAt: null },
    ]);
    expect(await three.list(10, false)).toHaveLength(2);
  });

  it('give the figure of today while they are open', async () => {
    const running = watch('one');
    outbox = 100;
    await told.count(1);
    outbox = 70;
    const [alert] = await eventually(
      () => running.list(10, true),
      list => list[0]?.value === 70,
    );
    expect(alert!.message).toContain('test.outbox has 70 events');
    expect(told.items).toEqual(['outbox raised']);
  });

  it('are told again, in their order, to an endpoint that did not take them', async () => {
    refuse = 503;
    const running = watch('one');
    outbox = 100;
    await eventually(
      () => running.list(10, true),
      list => list.length === 1,
    );
    outbox = 0;
    await eventually(
      () => running.list(10, true),
      list => list.length === 0,
    );
    expect(told.items).toEqual([]);
    refuse = undefined;
    await told.count(2);
    expect(told.items).toEqual(['outbox raised', 'outbox cleared']);
  });

  it('are not told again to an endpoint that refuses them for good, and hold no later one up', async () => {
    refuse = 401;
    const running = watch('one');
    outbox = 100;
    await eventually(
      () => running.list(10, true),
      list => list.length === 1,
    );
    await eventually(
      () => fixture.database.query('SELECT id FROM messaging.alert_notice') as Promise<unknown[]>,
      rows => rows.length === 0,
    );
    refuse = undefined;
    outbox = 0;
    await told.count(1);
    expect(told.items).toEqual(['outbox cleared']);
  });

  it('are kept for an endpoint that is away up to their limit, the newest of them', async () => {
    refuse = 503;
    const running = watch('one');
    for (let n = 0; n < 6; n += 1) {
      outbox = n % 2 === 0 ? 100 : 0;
      await eventually(
        () => running.list(10, true),
        list => list.length === 1 - (n % 2),
      );
    }
    refuse = undefined;
    await told.count(3);
    expect(told.items).toEqual(['outbox cleared', 'outbox raised', 'outbox cleared']);
  });

  it('are raised by age when a relay cannot send a single event, and cleared when it can', async () => {
    let away = true;
    const queue = fixture.transport();
    await queue.ensureTopics([{ name: 'test', partitions: 1 }]);
    const sending = {
      publish: (messages: readonly WireMessage[]) =>
        away ? Promise.reject(new Error('no broker')) : queue.publish(messages),
    } as unknown as Transport;
    await fixture.database.transaction(tx => fixture.outbox.publish(tx, Happened, { key: 'a', n: 1 }));
    await fixture.database.query("UPDATE messaging.outbox SET created_at = now() - interval '2 minutes'");
    fixture.relay(sending);
    const monitor = new MessagingMonitor(queue, fixture.database, () => [], 'test');
    const running = watch('one', () => monitor.watched());
    const [alert] = await eventually(
      () => running.list(10, true),
      list => list.length === 1,
    );
    expect(alert).toMatchObject({ subject: 'test.outbox', kind: 'age' });
    away = false;
    await eventually(
      () => running.list(10, true),
      list => list.length === 0,
    );
  });
});
