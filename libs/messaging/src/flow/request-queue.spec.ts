import { describe, expect, it } from '@jest/globals';
import { Gate } from '#testkit';
import { NoReply, RequestQueue, RequestQueueFull } from './request-queue.js';

const put = () => Promise.resolve();
const FOREVER = 600_000;
const limits = { most: 2, recountMs: 0 };

describe('requests on a queue', () => {
  it('get the reply with their own id, whatever the order of the replies', async () => {
    const queue = new RequestQueue<string>(async () => 0, limits);
    const [a, b] = [queue.ask('a', put, FOREVER), queue.ask('b', put, FOREVER)];
    queue.reply('b', 'to b');
    queue.reply('a', 'to a');
    expect(await Promise.all([a, b])).toEqual(['to a', 'to b']);
    expect(queue.size).toBe(0);
  });

  it('are refused at once when as many are on the queue as may, and are not put there', async () => {
    const queue = new RequestQueue<string>(async () => 2, limits);
    const [a, b] = [queue.ask('a', put, FOREVER), queue.ask('b', put, FOREVER)];
    let wasPut = false;
    const refused = queue.ask('c', async () => void (wasPut = true), FOREVER);
    await expect(refused).rejects.toBeInstanceOf(RequestQueueFull);
    expect(wasPut).toBe(false);
    queue.reply('a', 'done');
    const c = queue.ask('c', put, FOREVER);
    for (const id of ['b', 'c']) queue.reply(id, 'done');
    expect(await Promise.all([a, b, c])).toEqual(['done', 'done', 'done']);
  });

  it('count while they are on the queue, although nobody waits for them any more', async () => {
    let backlog = 2;
    const counted: Gate[] = [];
    const queue = new RequestQueue<string>(async () => {
      counted.shift()?.release();
      return backlog;
    }, limits);
    for (const id of ['a', 'b']) await expect(queue.ask(id, put, 1)).rejects.toBeInstanceOf(NoReply);
    const refused = async () => {
      const gate = new Gate();
      counted.push(gate);
      await expect(queue.ask('c', put, FOREVER)).rejects.toBeInstanceOf(RequestQueueFull);
      await gate.opened;
    };
    await refused();
    await refused();
    expect(queue.size).toBe(2);
    // The queue is past the older one: its reply was lost.
    backlog = 1;
    await refused();
    await new Promise(setImmediate);
    expect(queue.size).toBe(1);
    const c = queue.ask('c', put, FOREVER);
    queue.reply('c', 'done');
    expect(await c).toBe('done');
  });

  it('that are repeated get the reply to their first copy', async () => {
    const queue = new RequestQueue<string>(async () => 1, limits);
    await expect(queue.ask('a', put, 1)).rejects.toBeInstanceOf(NoReply);
    const again = queue.ask('a', put, FOREVER);
    queue.reply('a', 'reserved');
    expect(await again).toBe('reserved');
  });

  it('fail with what kept them from the queue', async () => {
    const queue = new RequestQueue<string>(async () => 0, limits);
    const away = () => Promise.reject(new Error('the queue is away'));
    await expect(queue.ask('a', away, FOREVER)).rejects.toThrow('the queue is away');
  });
});
