import type { Type } from '@nestjs/common';
import { DomainError, Outbox } from '#messaging';
import type { Broken } from './break-handlers.js';
import { type Method, Muted, replace } from './replace-methods.js';
import type { ShopInProcess } from './shop-in-process.js';

/** Breaks what an app does on a request. */
export type BreakRequest = (shop: ShopInProcess) => Broken;

/** What answers a request: an app's provider, and its method. */
type Target = readonly [app: string, provider: Type, method: string];

/** The request is answered, and nothing is done. */
export function onlyAnswer(target: Target, answer: object): BreakRequest {
  return shop => broken(shop, target, () => Promise.resolve(answer));
}

/** The request is done twice. The second time, it may be refused. */
export function doTwice(target: Target): BreakRequest {
  return shop =>
    broken(shop, target, async (done, ...args) => {
      const answer = await done(...args);
      await done(...args).catch((error: unknown) => {
        if (!(error instanceof DomainError)) throw error;
      });
      return answer;
    });
}

/** Everything is written, and no other service hears of it. */
export function tellNobody(target: Target): BreakRequest {
  return shop => {
    const outbox = new Muted(shop.of(target[0]).app.get(Outbox), 'publish');
    const request = broken(shop, target, (done, ...args) => outbox.during(() => done(...args)));
    return {
      struck: request.struck,
      undo() {
        request.undo();
        outbox.undo();
      },
    };
  };
}

/** Another query, or several, in the place of one. */
export function alterQuery(
  app: string,
  isMeant: (sql: string) => boolean,
  alter: (query: Method, sql: string, values: unknown[]) => Promise<unknown>,
): BreakRequest {
  return shop => {
    let struck = 0;
    // A transaction's manager gives its connection as the last argument.
    const undo = replace(shop.of(app).database, 'query', async (done, sql, values, ...rest) => {
      if (!isMeant(sql as string)) return done(sql, values, ...rest);
      struck += 1;
      return alter((...own) => done(...own, ...rest), sql as string, values as unknown[]);
    });
    return { struck: () => struck, undo };
  };
}

function broken(
  shop: ShopInProcess,
  [app, provider, method]: Target,
  fault: (done: Method, ...args: unknown[]) => Promise<unknown>,
): Broken {
  let struck = 0;
  const undo = replace(shop.of(app).app.get<object>(provider), method, (done, ...args) => {
    struck += 1;
    return fault(done, ...args);
  });
  return { struck: () => struck, undo };
}
