import { describe, expect, it } from '@jest/globals';
import { eventually, Gate, Gathered } from '../gather.js';
import { type Contract, range, text } from './contract.js';

/** Memory is bounded, and the transport recovers from an outage by itself. */
export function staysWithinBounds(contract: Contract): void {
  const { connect, topicWith, collect } = contract;

  describe('bounds and breaks', () => {
    it('holds no more than a batch a partition in memory while a handler is slow', async () => {
      const { transport, topic } = await topicWith(2);
      const gate = new Gate();
      let inHand = 0;
      const started = new Gathered<number>();
      const { received } = await collect(transport, topic, { maxBatch: 10 }, async ({ messages }) => {
        inHand += messages.length;
        started.add(inHand);
        await gate.opened;
      });
      await transport.publish(range(500).map(n => text(topic, `k${n}`, String(n))));
      await started.count(2);
      await transport.publish([text(topic, 'last', 'last')]);
      expect(inHand).toBe(20);
      gate.release();
      await received.count(501);
    });

    it('bounds a batch by its bytes too', async () => {
      const { transport, topic } = await topicWith(1);
      const sizes = new Gathered<number>();
      await transport.publish(range(10).map(n => text(topic, 'k', String(n).repeat(1000))));
      const { received } = await collect(transport, topic, { maxBatchBytes: 3500 }, async ({ messages }) => {
        sizes.add(messages.length);
      });
      await received.count(10);
      expect(Math.max(...sizes.items)).toBe(3);
    });

    it('goes on by itself after the server restarts', async () => {
      const { transport, topic } = await topicWith(2);
      const { received } = await collect(transport, topic);
      await transport.publish([text(topic, 'k', 'before')]);
      await received.count(1);
      const identity = await transport.identity();
      await contract.subject.restartServer();
      await eventually(
        () =>
          transport.publish([text(topic, 'k', 'after')]).then(
            () => true,
            () => false,
          ),
        published => published,
      );
      await received.until(items => items.includes('after'));
      expect(await transport.check()).toBeUndefined();
      expect(await connect().identity()).toBe(identity);
    });
  });
}
