import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { type Contract, lagIs, ofKey, range, text } from './contract.js';

/** Messages of one key arrive in the order of their publishing, whatever happens to publishers and consumers. */
export function keepsOrder(contract: Contract): void {
  const { connect, topicWith, startWorker, collect } = contract;

  describe('order', () => {
    it('keeps the order of a key', async () => {
      const { transport, topic } = await topicWith(4);
      const { received } = await collect(transport, topic, { maxBatch: 7 });
      for (const n of range(50))
        await transport.publish(range(8).map(k => text(topic, `k${k}`, `${k}:${n}`)));
      await received.count(400);
      for (const k of range(8)) expect(ofKey(received.items, k)).toEqual(range(50).map(n => `${k}:${n}`));
    });

    it('keeps the order of a key when its consumer is killed', async () => {
      const { transport, topic } = await topicWith(2);
      const group = randomUUID();
      const worker = await startWorker(topic, group, 30);
      for (const n of range(40))
        await transport.publish(range(3).map(k => text(topic, `k${k}`, `${k}:${n}`)));
      await worker.reports.until(reports => reports.some(report => report.kind === 'holding'));
      await worker.kill();
      const { received } = await collect(transport, topic, { group });
      await lagIs(transport, group, 0);
      const seen = [...worker.handled, ...received.items];
      for (const k of range(3)) {
        const first = [...new Set(ofKey(seen, k))];
        expect(first).toEqual(range(40).map(n => `${k}:${n}`));
      }
    });

    it('skips no message when publishers overlap', async () => {
      const { transport, topic } = await topicWith(1);
      const { received } = await collect(connect(), topic, { maxBatch: 3 });
      const publishers = [transport, connect(), connect(), connect()];
      await Promise.all(
        publishers.map(async (publisher, p) => {
          for (const n of range(50)) await publisher.publish([text(topic, `k${p}`, `${p}:${n}`)]);
        }),
      );
      await received.count(200);
      for (const p of range(4)) expect(ofKey(received.items, p)).toEqual(range(50).map(n => `${p}:${n}`));
    });
  });
}
