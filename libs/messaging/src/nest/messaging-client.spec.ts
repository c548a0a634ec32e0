import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { Gate } from '#testkit';
import { defineEvent } from '../message/define-event.js';
import type { Transport } from '../transport/transport.js';
import { DEFAULT_CLIENT_WAITING, MessagingClient, TooManyWaiting } from './messaging-client.js';

const Seen = defineEvent({
  type: 'test.seen.v1',
  topic: 'test',
  key: () => 'k',
  schema: z.object({ n: z.int() }),
});

describe('a service without a database', () => {
  it('takes no more events than its limit while the queue is away, and goes on when it is back', async () => {
    const back = new Gate();
    let sent = 0;
    const away = {
      capabilities: { maxMessageBytes: 1_000 },
      publish: async (messages: readonly unknown[]) => {
        await back.opened;
        sent += messages.length;
      },
    } as unknown as Transport;
    const client = new MessagingClient(away, { service: 'test', topics: ['test'], partitions: 1 });
    const limit = DEFAULT_CLIENT_WAITING;
    const emitted = Array.from({ length: limit }, (_, n) => client.emitEvent(Seen, { n }));
    await expect(client.emitEvent(Seen, { n: limit })).rejects.toBeInstanceOf(TooManyWaiting);
    back.release();
    await Promise.all(emitted);
    expect(sent).toBe(limit);
    await client.emitEvent(Seen, { n: limit });
    expect(sent).toBe(limit + 1);
  });

  it('refuses by itself what the queue would refuse, so that nothing else fails with it', async () => {
    const sent: number[] = [];
    const queue = {
      capabilities: { maxMessageBytes: 100 },
      publish: async (messages: readonly unknown[]) => void sent.push(messages.length),
    } as unknown as Transport;
    const client = new MessagingClient(queue, { service: 'test', topics: ['test'], partitions: 1 });
    const Long = defineEvent({ ...Seen, type: 'test.told.v1', key: () => 'k', schema: z.string() });
    const Stray = defineEvent({ ...Seen, topic: 'stray' });
    const emitted = [
      client.emitEvent(Seen, { n: 1 }),
      client.emitEvent(Long, 'x'.repeat(101)),
      client.emitEvent(Stray, { n: 2 }),
      client.emitEvent(Seen, { n: 3 }),
    ];
    const results = await Promise.allSettled(emitted);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled']);
    expect(sent).toEqual([2]);
  });
});
