import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { Gate, Gathered } from '../gather.js';
import { type Contract, lagIs, lagOf, range, text } from './contract.js';

/** A message is done when its handler resolved, and not before. */
export function acknowledges(contract: Contract): void {
  const { connect, topicWith, collect } = contract;

  describe('acknowledgement', () => {
    it('brings a batch again when its handler fails', async () => {
      const { transport, topic } = await topicWith(1);
      let attempts = 0;
      const { received } = await collect(transport, topic, {}, async () => {
        attempts += 1;
        if (attempts < 3) throw new Error('not yet');
      });
      await transport.publish([text(topic, 'k', 'a'), text(topic, 'k', 'b')]);
      await received.count(2);
      expect(attempts).toBe(3);
      expect(received.items).toEqual(['a', 'b']);
    });

    it('acknowledges nothing that was not handled', async () => {
      const { transport, topic } = await topicWith(1);
      const group = randomUUID();
      const failed = new Gathered<string>();
      const first = connect();
      await collect(first, topic, { group }, async ({ messages }) => {
        failed.add(...messages.map(message => message.payload.toString()));
        throw new Error('never');
      });
      await transport.publish([text(topic, 'k', 'a')]);
      await failed.count(1);
      await first.close();
      expect(await lagOf(transport, group)).toBe(1);
      const { received } = await collect(transport, topic, { group });
      expect(await received.count(1)).toEqual(['a']);
    });

    it('counts lag to the message', async () => {
      const { transport, topic } = await topicWith(2);
      const group = randomUUID();
      const gate = new Gate();
      const { received } = await collect(transport, topic, { group, maxBatch: 5 }, () => gate.opened);
      await transport.publish(range(30).map(n => text(topic, `k${n}`, String(n))));
      expect(await lagOf(transport, group)).toBe(30);
      gate.release();
      await received.count(30);
      await lagIs(transport, group, 0);
    });

    it('finishes what is in hand when it closes, and nothing after', async () => {
      const { transport, topic } = await topicWith(1);
      const group = randomUUID();
      const gate = new Gate();
      const started = new Gathered<number>();
      const first = connect();
      const { received } = await collect(first, topic, { group, maxBatch: 2 }, async ({ messages }) => {
        started.add(messages.length);
        await gate.opened;
      });
      await transport.publish(range(6).map(n => text(topic, 'k', String(n))));
      await started.count(1);
      const closing = first.close();
      gate.release();
      await closing;
      const done = received.items.length;
      expect(done).toBe(started.items[0]);
      expect(await lagOf(transport, group)).toBe(6 - done);
    });

    it('keeps its partition while it finishes what is in hand, however long that takes', async () => {
      const { transport, topic } = await topicWith(1);
      const group = randomUUID();
      const gate = new Gate();
      const started = new Gathered<number>();
      const leaving = connect();
      const { received } = await collect(leaving, topic, { group }, async () => {
        started.add(1);
        await gate.opened;
      });
      await transport.publish([text(topic, 'k', 'a')]);
      await started.count(1);
      const closing = leaving.close();
      const other = await collect(connect(), topic, { group });
      // The only wait for time in this suite: long enough for a lease to expire.
      await new Promise(done => setTimeout(done, 2 * contract.subject.leaseMs));
      gate.release();
      await closing;
      await transport.publish([text(topic, 'k', 'b')]);
      await other.received.until(items => items.includes('b'));
      expect([received.items, other.received.items]).toEqual([['a'], ['b']]);
    });
  });
}
