import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { eventually } from '#testkit';
import type { Broken, Handlers as HandlersOfShop } from './break-handlers.js';
import type { Mutant } from './mutant.js';
import type { Audit, ShopInProcess as Shop } from './shop-in-process.js';

// All apps are in this process: what yields to the others would yield to itself.
jest.unstable_mockModule('../../libs/messaging/src/runtime/yielding.js', () => ({
  restAfter: () => Promise.resolve(),
}));
const { Handlers } = await import('./break-handlers.js');
const { BROKEN_HANDLERS } = await import('./broken-handlers.js');
const { BROKEN_REQUESTS } = await import('./broken-requests.js');
const { declaredRequests } = await import('./declared-requests.js');
const { READS, SEEN_BY_THE_CALLER, WITHOUT_BOOKS } = await import('./outside-the-audit.js');
const { runScenario } = await import('./scenario.js');
const { ShopInProcess } = await import('./shop-in-process.js');

const MUTANTS = [...BROKEN_HANDLERS, ...BROKEN_REQUESTS];
const handlersOf = (mutants: readonly Mutant[]) => [...new Set(mutants.map(({ handler }) => handler))];

/** One of each handler, each time broken in another way; all of them with MUTANTS=all. */
function chosen(): readonly Mutant[] {
  if (process.env.MUTANTS === 'all') return MUTANTS;
  return handlersOf(MUTANTS).flatMap((handler, n) => {
    const told = MUTANTS.filter(each => each.handler === handler && typeof each.told !== 'string');
    return told.length === 0 ? [] : [told[n % told.length]!];
  });
}

const brokenOf = ({ invariants }: Audit) =>
  invariants.filter(each => !each.holds).map(({ invariant }) => invariant);

describe('the audit', () => {
  let shop: Shop;
  let handlers: HandlersOfShop;
  let broken: Broken | undefined;

  beforeAll(async () => {
    // What fails here fails on purpose.
    Logger.overrideLogger(false);
    shop = await ShopInProcess.start();
    handlers = new Handlers(shop);
  });

  afterAll(() => shop.stop());

  afterEach(async () => {
    broken?.undo();
    broken = undefined;
    await shop.startOver();
  });

  it('knows every handler of every app', () => {
    expect(handlers.names).toEqual([...handlersOf(BROKEN_HANDLERS), ...Object.keys(WITHOUT_BOOKS)].sort());
    const known = new Set([...handlersOf(BROKEN_REQUESTS), ...READS, ...Object.keys(SEEN_BY_THE_CALLER)]);
    expect(declaredRequests(shop).sort()).toEqual([...known].sort());
  });

  it('is clean and settled when nothing is broken, although every handler has had several messages', async () => {
    await runScenario(shop);
    // A timer may fire in the middle of it.
    const audit = await eventually(
      () => shop.audit(),
      ({ settled }) => settled,
    );
    expect(audit).toMatchObject({ clean: true, settled: true, unanswered: [] });
    expect(handlersOf(BROKEN_HANDLERS).filter(name => handlers.countOf(name) < 2)).toEqual([]);
  });

  describe.each(chosen())('with $handler $way', ({ told, start }) => {
    it(typeof told === 'string' ? `is clean: ${told}` : `says: ${told.join('; ')}`, async () => {
      broken = start(shop, handlers);
      await runScenario(shop);
      const audit = await shop.audit();
      expect(broken.struck()).toBeGreaterThan(0);
      if (typeof told === 'string') expect(audit).toMatchObject({ clean: true, settled: true });
      else expect(brokenOf(audit)).toEqual(expect.arrayContaining([...told]));
    });
  });

  it('is clean and settled again after all of this', async () => {
    await runScenario(shop);
    expect(await shop.audit()).toMatchObject({ clean: true, settled: true });
  });
});
