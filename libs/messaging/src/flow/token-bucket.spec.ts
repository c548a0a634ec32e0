import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Journey, TokenWorld } from '#testkit';
import { type BucketSpec, grantTokens, HELD_MS, heldTokens, newBucket } from './token-bucket.js';

const spec = (ratePerSecond: number, capacity: number): BucketSpec => ({
  ratePerSecond,
  capacity,
  adaptive: null,
});

const anySpec = fc.record({
  ratePerSecond: fc.oneof(
    fc.double({ min: 0.1, max: 50, noNaN: true }),
    fc.double({ min: 50, max: 5_000, noNaN: true }),
  ),
  capacity: fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 200 })),
  adaptive: fc.constant(null),
});

/** Mostly well, sometimes slow, lost or doubled. */
const anyJourney: fc.Arbitrary<Journey> = fc.record(
  {
    thereMs: fc.oneof(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 3_000 })),
    backMs: fc.oneof(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 3_000 })),
    lost: fc.oneof(
      { weight: 6, arbitrary: fc.constant('nothing' as const) },
      { weight: 1, arbitrary: fc.constantFrom('ask', 'answer', 'died') },
    ) as fc.Arbitrary<Journey['lost']>,
    copyMs: fc.oneof(fc.integer({ min: 0, max: 30 }), fc.integer({ min: 0, max: 8_000 })),
  },
  { requiredKeys: ['thereMs', 'backMs', 'lost'] },
);

type Happening = (world: TokenWorld) => void;

const calls = fc
  .tuple(fc.nat(3), fc.integer({ min: 1, max: 40 }))
  .map(([gateway, count]): Happening => world => {
    for (let n = 0; n < count; n += 1) world.call(gateway);
  });
const passing = fc.oneof(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 3 * HELD_MS })).map(
  (ms): Happening =>
    world =>
      world.advance(ms),
);
const fault = fc.oneof(
  fc.nat(3).map(
    (gateway): Happening =>
      world =>
        world.kill(gateway),
  ),
  fc.integer({ min: 1, max: 20_000 }).map(
    (ms): Happening =>
      world =>
        world.setClockBack(ms),
  ),
);
/** A gateway stands still with what it has, others take what they can, and it goes on. */
const squeeze = fc
  .tuple(
    fc.nat(3),
    fc.integer({ min: 1, max: 40 }),
    fc.integer({ min: 1, max: 20 }),
    fc.integer({ min: 300, max: 2 * HELD_MS }),
  )
  .map(([gateway, count, soonMs, frozenMs]): Happening => world => {
    const burst = (at: number, size: number) => {
      for (let n = 0; n < size; n += 1) world.call(at);
    };
    burst(gateway, count);
    world.advance(soonMs);
    world.freeze(gateway, frozenMs);
    for (let n = 0; n < 5; n += 1) {
      burst(gateway + 1, 40);
      world.advance(frozenMs / 5);
    }
    world.advance(1);
    burst(gateway, 40);
    burst(gateway + 1, 40);
  });
const change = anySpec.map(
  (changed): Happening =>
    world =>
      world.change(changed),
);

/** Runs a schedule, and gives the network what it does to each ask, over and over. */
function run(
  first: BucketSpec,
  offsets: readonly number[],
  journeys: readonly Journey[],
  happenings: readonly Happening[],
): TokenWorld {
  let asked = 0;
  const world = new TokenWorld(first, offsets, () => journeys[(asked += 1) % journeys.length]!);
  for (const happen of happenings) happen(world);
  world.advance(1_000);
  return world;
}

/**
 * The most that may be admitted in the window: the highest capacity of it and of the time for which blocks from before
 * are good, and what was issued in it.
 */
function allowance({ specs }: TokenWorld, from: number, to: number): number {
  let [capacity, issued] = [0, 0];
  specs.forEach(({ at, spec: { ratePerSecond, capacity: most } }, n) => {
    const until = specs[n + 1]?.at ?? Infinity;
    if (until < from - HELD_MS || at > to) return;
    capacity = Math.max(capacity, most);
    issued += (ratePerSecond / 1_000) * Math.max(0, Math.min(until, to) - Math.max(at, from));
  });
  return capacity + issued;
}

function expectEveryWindowHolds(world: TokenWorld): void {
  const { admitted } = world;
  for (let first = 0; first < admitted.length; first += 1)
    for (let last = first; last < admitted.length; last += 1) {
      const most = allowance(world, admitted[first]!, admitted[last]!);
      if (last - first + 1 > most + 1e-6)
        throw new Error(
          `${last - first + 1} were admitted from ${admitted[first]} to ${admitted[last]} ms, at most ${most} may be`,
        );
    }
}

const offsets = fc.array(fc.integer({ min: 0, max: 1e9 }), { minLength: 1, maxLength: 4 });
const journeys = fc.array(anyJourney, { minLength: 1, maxLength: 12 });

describe('tokens that several gateways take', () => {
  it('are at most capacity + rate × t in every window, whatever is late, lost, doubled or killed', () => {
    const happenings = fc.array(
      fc.oneof({ weight: 4, arbitrary: calls }, { weight: 4, arbitrary: passing }, squeeze, fault),
      {
        maxLength: 40,
      },
    );
    fc.assert(
      fc.property(anySpec, offsets, journeys, happenings, (first, clocks, network, schedule) =>
        expectEveryWindowHolds(run(first, clocks, network, schedule)),
      ),
      { numRuns: 3_000 },
    );
  });

  it('are so while rate and capacity change', () => {
    const happenings = fc.array(
      fc.oneof({ weight: 4, arbitrary: calls }, { weight: 4, arbitrary: passing }, squeeze, fault, change),
      { maxLength: 30 },
    );
    fc.assert(
      fc.property(anySpec, offsets, journeys, happenings, (first, clocks, network, schedule) =>
        expectEveryWindowHolds(run(first, clocks, network, schedule)),
      ),
      { numRuns: 1_000 },
    );
  });

  /**
   * Wants three times the rate once the bucket is no longer full.
   * @returns what was admitted, what was issued, and what was due by the rate
   */
  function overload(world: TokenWorld, gateways: number, { ratePerSecond: rate, capacity }: BucketSpec) {
    const stepMs = Math.max(1, Math.min(20, 300 / rate));
    const callEach = Math.ceil((3 * rate * stepMs) / 1_000 / gateways);
    const call = (ms: number) => {
      for (const until = world.now + ms; world.now < until; world.advance(stepMs))
        for (let gateway = 0; gateway < gateways; gateway += 1)
          for (let n = 0; n < callEach; n += 1) world.call(gateway);
    };
    call((2 * capacity * 1_000) / rate);
    const { unspent } = world;
    const [before, since] = [world.admitted.length, world.now];
    // Tokens come in blocks: of so many, the last one is a small part.
    call(Math.max(1_000_000 / rate, 8_000));
    const due = (rate * (world.now - since)) / 1_000;
    const admitted = world.admitted.length - before;
    return { due, admitted, issued: admitted + world.unspent - unspent };
  }

  it('come at the rate, within 1%, while more are wanted', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.1, max: 2_000, noNaN: true }),
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 0, max: 200 }),
        (rate, gateways, wayMs, extra) => {
          // No token can be issued while the news that there is room for it is still on its way.
          const limit = spec(rate, Math.ceil(1 + rate * 0.1) + extra);
          const journey: Journey = { thereMs: wayMs, backMs: wayMs, lost: 'nothing' };
          const world = new TokenWorld(limit, Array<number>(gateways).fill(0), () => journey);
          const { due, admitted } = overload(world, gateways, limit);
          expect(admitted / due).toBeGreaterThan(0.99);
          expect(admitted / due).toBeLessThan(1.01);
        },
      ),
      { numRuns: 25 },
    );
  });

  it('are issued at the rate, none twice and none left out, while one generator after the other dies in a grant', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 1, max: 1_000, noNaN: true }),
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 5, max: 50 }),
        (rate, gateways, every) => {
          // What is issued while nobody notices the death waits in the bucket.
          const limit = spec(rate, Math.ceil(1 + rate * 2));
          let asked = 0;
          const world = new TokenWorld(limit, Array<number>(gateways).fill(0), () => ({
            thereMs: 1,
            backMs: 1,
            lost: (asked += 1) % every === 0 ? 'died' : 'nothing',
          }));
          const { due, issued } = overload(world, gateways, limit);
          // What was spent and not reported yet is at most what may be unspent. However many die, it is no more than that.
          expect(Math.abs(issued - due)).toBeLessThan(limit.capacity + 1e-6);
        },
      ),
      { numRuns: 25 },
    );
  });

  it.each([
    [0.1, 1],
    [1, 1],
    [5, 1],
  ])('come at %d a second from a bucket for %d', (rate, capacity) => {
    const world = new TokenWorld(spec(rate, capacity), [0, 0, 0], () => ({
      thereMs: 0.5,
      backMs: 0.5,
      lost: 'nothing',
    }));
    const ms = 200_000 / rate;
    while (world.now < ms) {
      for (const gateway of [0, 1, 2]) world.call(gateway);
      world.advance(2 / rate);
    }
    expect(world.admitted.length / ((rate * ms) / 1_000)).toBeGreaterThan(0.99);
  });

  it('count while a holder has them whom the bucket does not know, because it was removed and set again', () => {
    const ask = { bucket: 'b', holder: 'old', number: 7, holding: 6, want: 10 };
    const counts = { admitted: 0, refused: 0, completed: 0, overloaded: 0 };
    const { bucket, grant } = grantTokens(newBucket(spec(0.001, 10), 0), { ...ask, ...counts }, 0);
    expect(grant.tokens).toBe(4);
    expect(bucket.state.level).toBe(0);
    expect(heldTokens(bucket.state)).toBe(10);
  });
});
