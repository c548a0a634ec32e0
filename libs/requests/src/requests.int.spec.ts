import 'reflect-metadata';
import { createConnection, createServer, type Server } from 'node:net';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Controller, type INestMicroservice, Module, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { MicroserviceOptions } from '@nestjs/microservices';
import { z } from 'zod';
import {
  currentTraceparent,
  defineRequest,
  DependencyUnavailable,
  DomainError,
  isInfrastructureError,
  NotJson,
  rankByRendezvous,
  runInTrace,
} from '#messaging';
import { freePorts } from '#server-process';
import { eventually, Gate, SilentProxy } from '#testkit';
import { HandleRequest } from './handle-request.js';
import { OUTLIER_LIMITS } from './outlier-detection.js';
import {
  type AskOptions,
  InvalidReply,
  RequestClient,
  RequestNotHandled,
  RequestRefused,
  ServiceUnavailable,
} from './request-client.js';
import { PACKET_LIMITS, type PacketLimits, requestServer } from './request-server.js';

const Twice = defineRequest({
  type: 'sums.twice.v1',
  schema: z.object({ n: z.int() }),
  reply: z.object({ n: z.int(), trace: z.string().optional() }),
});
const Unknown = defineRequest({ ...Twice, type: 'sums.unknown.v1' });

class TooLarge extends DomainError {
  readonly code = 'too_large';
  readonly most = 10;
}

const TRACE = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

describe('a request', () => {
  const open: (INestMicroservice | Server | RequestClient)[] = [];

  afterEach(async () => {
    for (const each of open.splice(0)) await each.close();
  });

  /** An instance of the service with this answer. @returns its address */
  async function instance(
    answer: (n: number) => unknown,
    limits: Partial<PacketLimits> = {},
  ): Promise<string> {
    @Controller()
    class Sums {
      @HandleRequest(Twice)
      async twice({ n }: { n: number }): Promise<{ n: number }> {
        return (await answer(n)) as { n: number };
      }
    }
    class Root {}
    Module({ controllers: [Sums] })(Root);
    const [port] = await freePorts(1);
    const options = requestServer({ host: '127.0.0.1', port: port! }, { ...PACKET_LIMITS, ...limits });
    const app = await NestFactory.createMicroservice<MicroserviceOptions>(Root as Type, {
      ...options,
      logger: false,
    });
    await app.listen();
    open.push(app);
    return `127.0.0.1:${port}`;
  }

  /** An instance that ends each connection as soon as a request arrives. @returns its address */
  async function failing(): Promise<{ address: string; asked: () => number }> {
    let asked = 0;
    const server = createServer(socket => {
      socket.on('error', () => undefined);
      socket.once('data', () => {
        asked += 1;
        socket.destroy();
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    open.push(server);
    return { address: `127.0.0.1:${(server.address() as { port: number }).port}`, asked: () => asked };
  }

  /** A routing key that has this instance first. */
  function keyOf(address: string, among: readonly string[]): string {
    let n = 0;
    while (rankByRendezvous(`key ${n}`, among)[0] !== address) n += 1;
    return `key ${n}`;
  }

  function asking(...instances: string[]) {
    const client = new RequestClient(() => instances);
    open.push(client);
    return (n: number, options?: AskOptions) => client.ask(Twice, { n }, options);
  }

  it('is answered, in the trace of who asks', async () => {
    const ask = asking(await instance(n => ({ n: 2 * n, trace: currentTraceparent() })));
    const reply = await runInTrace(TRACE, () => ask(3));
    expect(reply).toEqual({ n: 6, trace: expect.stringMatching(/^00-0af7651916cd43dd8448eb211c80319c-/) });
  });

  it('is refused by a domain rule, with its code and its facts', async () => {
    const ask = asking(
      await instance(() => {
        throw new TooLarge('at most ten');
      }),
    );
    const refusal = await ask(30).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(RequestRefused);
    expect(refusal).toMatchObject({ code: 'too_large', message: 'at most ten', facts: { most: 10 } });
  });

  it('is refused before its handler sees it when it does not fit its contract', async () => {
    let asked = 0;
    const ask = asking(await instance(n => ({ n: (asked += n) })));
    await expect(ask(1.5)).rejects.toMatchObject({ code: 'invalid_request' });
    expect(asked).toBe(0);
  });

  it('that the service does not know is told as that', async () => {
    const client = new RequestClient(() => []);
    await expect(client.ask(Twice, { n: 1 })).rejects.toThrow('no instance of it is known');
    const address = await instance(n => ({ n }));
    const other = new RequestClient(() => [address]);
    open.push(other);
    await expect(other.ask(Unknown, { n: 1 })).rejects.toThrow(RequestNotHandled);
  });

  it('without an answer is given up at its deadline, which a handler can tell from a failure of its own', async () => {
    const ask = asking(await instance(() => new Promise(() => undefined)));
    const error = await ask(1, { deadlineMs: 50 }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ServiceUnavailable);
    expect(isInfrastructureError(error)).toBe(true);
  });

  it('goes to another instance when nobody listens at the first', async () => {
    const [closed] = await freePorts(1);
    const there = await instance(n => ({ n: 2 * n }));
    const ask = asking(`127.0.0.1:${closed}`, there);
    const replies = await Promise.all(Array.from({ length: 8 }, (_, n) => ask(n)));
    expect(replies.map(({ n }) => n)).toEqual([0, 2, 4, 6, 8, 10, 12, 14]);
  });

  it('whose connection was lost is asked again only if it may be repeated', async () => {
    const { address, asked } = await failing();
    await expect(asking(address)(1)).rejects.toThrow(ServiceUnavailable);
    expect(asked()).toBe(1);
    const there = await instance(n => ({ n: 2 * n }));
    expect(await asking(address, there)(2, { repeatable: true })).toEqual({ n: 4 });
  });

  it('that met an outage is asked again if it may be repeated', async () => {
    let calls = 0;
    const address = await instance(n => {
      calls += 1;
      if (calls === 1) throw new DependencyUnavailable('it', 'away');
      return { n };
    });
    await expect(asking(address)(1)).rejects.toThrow(ServiceUnavailable);
    calls = 0;
    expect(await asking(address)(1, { repeatable: true })).toEqual({ n: 1 });
    expect(calls).toBe(2);
  });

  it('goes to the same instance for the same routing key, and to the next in its ranking when that is skipped', async () => {
    const addresses = [await instance(() => ({ n: 1 })), await instance(() => ({ n: 2 }))];
    const ask = asking(...addresses);
    const routingKey = 'a campaign';
    const { n: first } = await ask(0, { routingKey });
    for (let times = 0; times < 5; times += 1) expect((await ask(0, { routingKey })).n).toBe(first);
    expect((await ask(0, { routingKey, skip: 1 })).n).toBe(3 - first);
    expect((await asking(...addresses.reverse())(0, { routingKey })).n).toBe(first);
  });

  it('whose answer does not fit the contract is a defect: it is asked once', async () => {
    let calls = 0;
    const ask = asking(
      await instance(() => {
        calls += 1;
        return { n: 'two' };
      }),
    );
    await expect(ask(1, { repeatable: true })).rejects.toThrow(InvalidReply);
    expect(calls).toBe(1);
  });

  it('that fails for another reason tells nothing of it to who asks', async () => {
    const ask = asking(
      await instance(() => {
        throw new Error('the password is 123');
      }),
    );
    const error = await ask(1).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'internal' });
    expect(String(error)).not.toContain('123');
  });

  it('opens another connection when one has silently died, and leaves a slow one alone', async () => {
    let slow = false;
    const gate = new Gate();
    const address = await instance(async n => {
      if (slow && n === 1) await gate.opened;
      return { n: 2 * n };
    });
    const proxy = await SilentProxy.start(Number(address.split(':')[1]));
    open.push({ close: () => proxy.stop() } as unknown as Server);
    const client = new RequestClient(() => [`127.0.0.1:${proxy.port}`]);
    open.push(client);
    expect(await client.ask(Twice, { n: 2 })).toEqual({ n: 4 });
    expect(proxy.swallow()).toBe(1);
    await expect(client.ask(Twice, { n: 3 }, { deadlineMs: 100 })).rejects.toBeInstanceOf(ServiceUnavailable);
    expect(await client.ask(Twice, { n: 4 })).toEqual({ n: 8 });

    slow = true;
    const late = client.ask(Twice, { n: 1 }, { deadlineMs: 100 }).catch((error: unknown) => error);
    expect(await client.ask(Twice, { n: 5 })).toEqual({ n: 10 });
    expect(await late).toBeInstanceOf(ServiceUnavailable);
    gate.release();
    expect(await client.ask(Twice, { n: 6 })).toEqual({ n: 12 });
    // It was the connection of before: what was swallowed is the first one alone.
    expect(proxy.swallow()).toBe(2);
  });

  it('waits for a frozen instance only until that is ejected, and returns to it when it answers again', async () => {
    const [one, two] = [await instance(() => ({ n: 1 })), await instance(() => ({ n: 2 }))];
    const proxy = await SilentProxy.start(Number(one.split(':')[1]));
    open.push({ close: () => proxy.stop() } as unknown as Server);
    const limits = { ...OUTLIER_LIMITS, failures: 2, silentMs: 50, pauseMs: 20, longestPauseMs: 40 };
    const instances = [`127.0.0.1:${proxy.port}`, two];
    const client = new RequestClient(() => instances, limits);
    open.push(client);
    const routingKey = keyOf(instances[0]!, instances);
    const ask = async (deadlineMs?: number) =>
      (await client.ask(Twice, { n: 0 }, { routingKey, deadlineMs })).n;
    expect(await ask()).toBe(1);

    proxy.freeze();
    for (let times = 0; times < 2; times += 1)
      await expect(ask(60)).rejects.toBeInstanceOf(ServiceUnavailable);
    // None of these may be repeated: one that went to the frozen instance would fail.
    for (let times = 0; times < 50; times += 1) expect(await ask()).toBe(2);

    proxy.thaw();
    expect(await eventually(ask, n => n === 1)).toBe(1);
  });

  it.each([
    ['stops in its middle', { silenceMs: 50 }, async () => undefined],
    ['comes a byte at a time', { packetMs: 200 }, async (send: (text: string) => void) => send(' ')],
    ['is too long', { longest: 1_000 }, async (send: (text: string) => void) => send('x'.repeat(100))],
  ] as const)('whose packet %s loses its connection, and no other caller does', async (_, limits, go) => {
    const address = await instance(n => ({ n: 2 * n }), limits);
    const ask = asking(address);
    expect(await ask(1)).toEqual({ n: 2 });
    const [host, port] = address.split(':');
    const socket = createConnection(Number(port), host);
    let ended = false;
    socket.on('error', () => undefined).on('close', () => (ended = true));
    // Too long to be ever complete: only a limit ends it.
    socket.write('1000000000#{');
    while (!ended) {
      await go(text => socket.write(text));
      await new Promise(done => setTimeout(done, 10));
    }
    expect(await ask(2)).toEqual({ n: 4 });
  });

  it('that cannot be sent is a defect of the caller: it is told at once, and nothing is asked again', async () => {
    let asked = 0;
    const address = await instance(n => {
      asked += 1;
      return { n };
    });
    const client = new RequestClient(() => [address]);
    open.push(client);
    const forever = { repeatable: true, deadlineMs: 600_000 };
    await expect(client.ask(Twice, { n: 1n as never }, forever)).rejects.toBeInstanceOf(TypeError);
    const Anything = defineRequest({ type: 'sums.any.v1', schema: z.any(), reply: z.null() });
    let deep: unknown = 0;
    for (let level = 0; level < 6_500; level += 1) deep = [deep];
    await expect(client.ask(Anything, deep, forever)).rejects.toBeInstanceOf(NotJson);
    expect(asked).toBe(0);
  });
});
