import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { MessageTooLarge, UnknownTopic, type WireMessage } from '#messaging';
import { eventually, Gathered } from '../gather.js';
import { type Contract, lagIs, range, text } from './contract.js';

/** Everything that is published arrives unchanged, and once. */
export function delivers(contract: Contract): void {
  const { connect, topicWith, collect } = contract;

  describe('delivery', () => {
    it('delivers what was published, with key and headers as they were', async () => {
      const { transport, topic } = await topicWith(2);
      const received = new Gathered<WireMessage>();
      await transport.subscribe(
        { group: 'g', topics: [topic], mode: 'competing', startFrom: 'start', maxBatch: 10 },
        async batch => received.add(...batch.messages),
      );
      const headers = { ce_id: '1', traceparent: 'x', 'content-type': 'application/json' };
      await transport.publish([{ topic, key: 'k', headers, payload: Buffer.from('hello') }]);
      const [message] = await received.count(1);
      expect(message).toMatchObject({ topic, key: 'k', headers });
      expect(message!.payload.toString()).toBe('hello');
    });

    it.each([
      ['empty', Buffer.alloc(0), ''],
      ['unicode', Buffer.from('snowman ☃ 雪だるま 🏂'), 'ключ 🔑'],
      ['binary', Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)), '\u0001 "quoted", \\ {brace}'],
    ])('carries an %s payload byte for byte', async (_, payload, key) => {
      const { transport, topic } = await topicWith(1);
      const received = new Gathered<WireMessage>();
      await transport.subscribe(
        { group: 'g', topics: [topic], mode: 'competing', startFrom: 'start', maxBatch: 10 },
        async batch => received.add(...batch.messages),
      );
      await transport.publish([{ topic, key, headers: {}, payload }]);
      const [message] = await received.count(1);
      expect(message!.payload.equals(payload)).toBe(true);
      expect(message!.key).toBe(key);
    });

    it('carries a message as long as its limit and refuses a longer one with a clear error', async () => {
      const { transport, topic } = await topicWith(1);
      const { received } = await collect(transport, topic);
      const limit = transport.capabilities.maxMessageBytes;
      await transport.publish([{ topic, key: 'k', headers: {}, payload: Buffer.alloc(limit, 'x') }]);
      const tooLong = { topic, key: 'k', headers: {}, payload: Buffer.alloc(limit + 1, 'x') };
      await expect(transport.publish([tooLong])).rejects.toBeInstanceOf(MessageTooLarge);
      const [payload] = await received.count(1);
      expect(payload!.length).toBe(limit);
    });

    it('refuses a topic that nobody made', async () => {
      await expect(connect().publish([text(`t-${randomUUID()}`, 'k', 'x')])).rejects.toBeInstanceOf(
        UnknownTopic,
      );
    });

    it('delivers everything of many publishers to many subscribers, once', async () => {
      const { transport, topic } = await topicWith(4);
      const collected = await Promise.all([1, 2, 3].map(() => collect(connect(), topic)));
      const publishers = [transport, connect(), connect()];
      await Promise.all(
        publishers.flatMap((publisher, p) =>
          range(20).map(n => publisher.publish(range(10).map(m => text(topic, `k${m}`, `${p}-${n}-${m}`)))),
        ),
      );
      const total = () => collected.flatMap(({ received }) => received.items);
      await eventually(
        async () => total().length,
        length => length >= 600,
      );
      await lagIs(transport, 'g', 0);
      expect(total().length).toBe(600);
      expect(new Set(total()).size).toBe(600);
    });
  });
}
