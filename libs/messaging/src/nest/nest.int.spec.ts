import {
  type CanActivate,
  Catch,
  Controller,
  type ExceptionFilter,
  type ExecutionContext,
  type Type,
  UseFilters,
  UseGuards,
  UseInterceptors,
  UsePipes,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { concatMap, EMPTY } from 'rxjs';
import { DataSource, type EntityManager } from 'typeorm';
import { z } from 'zod';
import { effect, Gathered, MessagingFixture } from '#testkit';
import { defineEvent } from '../message/define-event.js';
import type { Transport } from '../transport/transport.js';
import { Handle } from './handle.js';
import { DependencyUnavailable } from '../runtime/infrastructure-error.js';
import { MessageContext } from './message-context.js';
import { MessagingClient } from './messaging-client.js';
import { MessagingModule } from './messaging.module.js';
import { MessagingServer } from './messaging-server.js';
import { MESSAGE_TRANSPORT, MESSAGING_INSTANCE } from './options.js';

const Happened = defineEvent({
  type: 'test.happened.v1',
  topic: 'test',
  key: event => event.key,
  schema: z.object({ key: z.string(), n: z.int() }),
});
type Happened = { key: string; n: number };

describe('messaging the Nest way', () => {
  let fixture: MessagingFixture;
  let apps: NestFastifyApplication[] = [];

  beforeEach(async () => {
    fixture = await MessagingFixture.start();
  });

  afterEach(async () => {
    for (const app of apps) await app.close();
    apps = [];
    await fixture.stop();
  });

  async function startApp(controller: Type): Promise<NestFastifyApplication> {
    const transport: Transport = fixture.transport();
    const globals = [
      { provide: MESSAGE_TRANSPORT, useValue: transport },
      { provide: MESSAGING_INSTANCE, useValue: String(Math.random()) },
      { provide: DataSource, useValue: fixture.database },
    ];
    class Root {}
    const app = await NestFactory.create<NestFastifyApplication>(
      {
        module: Root,
        global: true,
        imports: [MessagingModule.forService({ service: 'test', publishes: ['test'] })],
        controllers: [controller],
        providers: globals,
        exports: globals.map(each => each.provide),
      },
      new FastifyAdapter(),
      { logger: false },
    );
    app.connectMicroservice({ strategy: app.get(MessagingServer) }, { inheritAppConfig: true });
    await app.startAllMicroservices();
    await app.init();
    apps.push(app);
    return app;
  }

  const send = (app: NestFastifyApplication, ...events: Happened[]) =>
    Promise.all(events.map(event => app.get(MessagingClient).emitEvent(Happened, event)));

  it('hands a controller the parsed data, the transaction and the context', async () => {
    const seen = new Gathered<unknown>();
    @Controller()
    class Follow {
      @Handle(Happened, { name: 'test.follow' })
      async follow(event: Happened, tx: EntityManager, context: MessageContext): Promise<void> {
        await effect(tx, event.key);
        seen.add([event, context.subscription, context.messages[0]!.headers['ce_type']]);
      }
    }
    const app = await startApp(Follow);
    await send(app, { key: 'a', n: 1 });
    await fixture.settle(1);
    expect(seen.items).toEqual([[{ key: 'a', n: 1 }, 'test.follow', 'test.happened.v1']]);
    expect(await fixture.effects()).toEqual(['a']);
  });

  it('runs pipes', async () => {
    @Controller()
    class Follow {
      @UsePipes({
        transform: (value: unknown) => (isHappened(value) ? { ...value, key: `piped ${value.key}` } : value),
      })
      @Handle(Happened, { name: 'test.follow' })
      async follow(event: Happened, tx: EntityManager): Promise<void> {
        await effect(tx, event.key);
      }
    }
    const app = await startApp(Follow);
    await send(app, { key: 'a', n: 1 });
    await fixture.settle(1);
    expect(await fixture.effects()).toEqual(['piped a']);
  });

  it('runs guards: what a guard refuses is not done', async () => {
    const refused = new Gathered<number>();
    class OnlyEven implements CanActivate {
      canActivate(context: ExecutionContext): boolean {
        const { n } = context.switchToRpc().getData<Happened>();
        if (n % 2 === 1) refused.add(n);
        return n % 2 === 0;
      }
    }
    @Controller()
    class Follow {
      @UseGuards(OnlyEven)
      @Handle(Happened, { name: 'test.follow' })
      async follow(event: Happened, tx: EntityManager): Promise<void> {
        await effect(tx, String(event.n));
      }
    }
    const app = await startApp(Follow);
    await send(app, { key: 'a', n: 2 });
    await fixture.settle(1);
    await send(app, { key: 'a', n: 3 });
    await refused.count(2);
    expect(await fixture.effects()).toEqual(['2']);
  });

  it('runs interceptors around the handler, within its transaction', async () => {
    @Controller()
    class Follow {
      @UseInterceptors({
        intercept: async (
          context: ExecutionContext,
          next: { handle(): import('rxjs').Observable<unknown> },
        ) => {
          const { tx } = context.switchToRpc().getContext<MessageContext>();
          await effect(tx!, 'before');
          return next.handle().pipe(concatMap(() => effect(tx!, 'after')));
        },
      })
      @Handle(Happened, { name: 'test.follow', batch: 10 })
      async follow(events: readonly Happened[], tx: EntityManager): Promise<void> {
        if (events.some(event => event.n === 3)) throw new Error('not three');
        await effect(tx, `handled ${events.length}`);
      }
    }
    const app = await startApp(Follow);
    await send(app, { key: 'a', n: 1 }, { key: 'a', n: 2 });
    await fixture.settle(2);
    const around = ['before', 'handled 2', 'after'];
    expect(await fixture.effects()).toEqual(around);
    // What the interceptor wrote goes with the transaction of a handler that fails.
    await send(app, { key: 'b', n: 3 });
    await fixture.settled.until(signals => signals.some(({ parked }) => parked === 1));
    expect(await fixture.effects()).toEqual(around);
  });

  it('runs filters: an error that a filter takes is settled', async () => {
    class Known extends Error {}
    @Catch(Known)
    class Forgive implements ExceptionFilter {
      catch() {
        return EMPTY;
      }
    }
    @Controller()
    class Follow {
      @UseFilters(Forgive)
      @Handle(Happened, { name: 'test.follow' })
      async follow(event: Happened, tx: EntityManager): Promise<void> {
        if (event.n === 1) throw new Known();
        await effect(tx, String(event.n));
      }
    }
    const app = await startApp(Follow);
    await send(app, { key: 'a', n: 1 }, { key: 'a', n: 2 });
    await fixture.settle(2);
    expect(await fixture.effects()).toEqual(['2']);
  });

  it('passes a handler’s error on as it is: an outage parks nothing', async () => {
    let isAway = true;
    const asked = new Gathered<number>();
    @Controller()
    class Follow {
      @Handle(Happened, { name: 'test.follow' })
      async follow(event: Happened, tx: EntityManager): Promise<void> {
        asked.add(event.n);
        if (isAway) throw new DependencyUnavailable('the outside', 'it is away');
        await effect(tx, String(event.n));
      }
    }
    const app = await startApp(Follow);
    await send(app, { key: 'a', n: 1 });
    await asked.count(2);
    isAway = false;
    await fixture.settle(1);
    expect(await fixture.effects()).toEqual(['1']);
    expect(fixture.settled.items.some(({ parked }) => parked > 0)).toBe(false);
  });

  it('gives every instance its copy of a broadcast', async () => {
    const copies = new Gathered<string>();
    const named = (name: string): Type => {
      @Controller()
      class Hear {
        @Handle(Happened, { name: 'test.news', broadcast: true })
        hear(event: Happened): void {
          copies.add(`${name} ${event.key}`);
        }
      }
      return Hear;
    };
    const app = await startApp(named('one'));
    await startApp(named('two'));
    await send(app, { key: 'a', n: 1 });
    expect([...(await copies.count(2))].sort()).toEqual(['one a', 'two a']);
  });

  it('refuses two handlers of one event under one name', async () => {
    @Controller()
    class Twice {
      @Handle(Happened, { name: 'test.follow' })
      async one(): Promise<void> {}

      @Handle(Happened, { name: 'test.follow' })
      async two(): Promise<void> {}
    }
    await expect(startApp(Twice)).rejects.toThrow('handles test.happened.v1 twice');
  });
});

function isHappened(value: unknown): value is Happened {
  return typeof value === 'object' && value !== null && 'key' in value && 'n' in value;
}
