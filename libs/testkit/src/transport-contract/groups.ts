import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { eventually, Gate, Gathered } from '../gather.js';
import { type Contract, lagIs, range, text } from './contract.js';

/** Partitions are shared among the live instances of a group, one owner at a time; a broadcast goes to all. */
export function sharesAmongGroups(contract: Contract): void {
  const { connect, topicWith, startWorker, collect } = contract;

  describe('groups', () => {
    it('shares among competing consumers and copies to broadcast ones', async () => {
      const { transport, topic } = await topicWith(4);
      const group = randomUUID();
      const [one, two] = [connect(), connect()];
      const competing = [await collect(one, topic, { group }), await collect(two, topic, { group })];
      const copies = [
        await collect(one, topic, { group: 'copies', mode: 'broadcast' }),
        await collect(two, topic, { group: 'copies', mode: 'broadcast' }),
      ];
      await eventually(
        async () => new Set((await transport.lag(group)).map(each => each.owner)).size,
        owners => owners === 2,
      );
      await transport.publish(range(40).map(n => text(topic, `k${n}`, String(n))));
      for (const { received } of copies) {
        expect([...(await received.count(40))].sort()).toEqual(range(40).map(String).sort());
      }
      await lagIs(transport, group, 0);
      const shared = competing.map(({ received }) => received.items);
      expect(shared.flat().sort()).toEqual(range(40).map(String).sort());
      expect(shared.every(items => items.length > 0)).toBe(true);
    });

    it('starts a new group at the start or from now, as asked', async () => {
      const { transport, topic } = await topicWith(2);
      await transport.publish([text(topic, 'k', 'before')]);
      const all = await collect(transport, topic, { group: randomUUID(), startFrom: 'start' });
      const recent = await collect(transport, topic, { group: randomUUID(), startFrom: 'now' });
      await transport.publish([text(topic, 'k', 'after')]);
      expect(await all.received.count(2)).toEqual(['before', 'after']);
      expect(await recent.received.count(1)).toEqual(['after']);
    });

    it('goes on where the group left off', async () => {
      const { transport, topic } = await topicWith(1);
      const group = randomUUID();
      const first = await collect(transport, topic, { group });
      await transport.publish([text(topic, 'k', 'a')]);
      await first.received.count(1);
      await first.subscription.close();
      await transport.publish([text(topic, 'k', 'b')]);
      const second = await collect(transport, topic, { group });
      expect(await second.received.count(1)).toEqual(['b']);
    });

    it('gives an instance that joins its share, and takes it back when it leaves', async () => {
      const { transport, topic } = await topicWith(4);
      const group = randomUUID();
      const owners = async () => (await transport.lag(group)).map(each => each.owner);
      await collect(connect(), topic, { group });
      await eventually(owners, list => list.every(owner => owner === list[0] && owner !== undefined));
      const joined = connect();
      await collect(joined, topic, { group });
      await eventually(owners, list => new Set(list).size === 2 && !list.includes(undefined));
      await joined.close();
      await eventually(owners, list => new Set(list).size === 1 && !list.includes(undefined));
    });

    it('gives a topic to the members that subscribe to it, while two versions run side by side', async () => {
      const { transport, topic } = await topicWith(4);
      const { topic: added } = await topicWith(4);
      const group = randomUUID();
      await collect(connect(), topic, { group });
      const newer = connect();
      const options = { group, mode: 'competing', startFrom: 'start', maxBatch: 10 } as const;
      const received = new Gathered<string>();
      await newer.subscribe({ ...options, topics: [topic, added] }, async ({ messages }) =>
        received.add(...messages.map(message => `${message.topic} ${message.payload.toString()}`)),
      );
      await eventually(
        () => transport.lag(group),
        lag =>
          lag.every(({ owner }) => owner !== undefined) &&
          new Set(lag.filter(each => each.topic === added).map(({ owner }) => owner)).size === 1 &&
          // Of the topic that both subscribe to, either may have all: the other has as many of the added one.
          new Set(lag.map(({ owner }) => owner)).size === 2,
      );
      await transport.publish(range(20).map(n => text(added, `k${n}`, String(n))));
      const expected = range(20).map(n => `${added} ${n}`);
      await received.until(items => expected.every(item => items.includes(item)));
    });

    it('gives the partitions of a killed instance to the others', async () => {
      const { transport, topic } = await topicWith(2);
      const group = randomUUID();
      const worker = await startWorker(topic, group);
      await transport.publish([text(topic, 'a', '1')]);
      await worker.reports.until(reports => reports.some(report => report.kind === 'handled'));
      await worker.kill();
      const { received } = await collect(transport, topic, { group });
      await transport.publish(range(10).map(n => text(topic, `k${n}`, `later ${n}`)));
      await received.until(items => range(10).every(n => items.includes(`later ${n}`)));
    });

    it('lets a frozen owner, overtaken, neither commit nor handle any more', async () => {
      const { transport, topic } = await topicWith(1);
      const group = randomUUID();
      const stale = await startWorker(topic, group, 1);
      await transport.publish([text(topic, 'k', '1'), text(topic, 'k', '2'), text(topic, 'k', '3')]);
      await stale.reports.until(reports => reports.some(report => report.kind === 'holding'));
      // The group may learn of what is done while the next batch is already running.
      await lagIs(transport, group, 2);
      stale.freeze();
      const gate = new Gate();
      const { received } = await collect(transport, topic, { group, maxBatch: 1 }, async ({ messages }) => {
        if (messages[0]!.payload.toString() === '3') await gate.opened;
      });
      await received.until(items => items.includes('2'));
      stale.thaw();
      await lagIs(transport, group, 1);
      await transport.publish([text(topic, 'k', '4')]);
      gate.release();
      await lagIs(transport, group, 0);
      // Awake, it is a member as any other: the partition may be handed to it again, in order, and then 4 is its own.
      const later = () => stale.handled.slice(1);
      const all = await eventually(
        async () => [...received.items, ...later()],
        items => items.includes('4'),
      );
      expect(all).toEqual(['2', '3', '4']);
      expect(stale.handled[0]).toBe('1');
      expect(later()).not.toContain('3');
    });
  });
}
