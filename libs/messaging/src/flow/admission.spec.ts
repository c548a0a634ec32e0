import { describe, expect, it } from '@jest/globals';
import { eventually, Gate } from '#testkit';
import {
  Admission,
  AdmissionUnavailable,
  type BucketNews,
  TooManyRequests,
  type TokenSource,
} from './admission.js';
import {
  type Bucket,
  type BucketSpec,
  grantTokens,
  heldTokens,
  issueTokens,
  newBucket,
} from './token-bucket.js';

/** A minute for each token: none comes while a test runs. */
const SLOW = 1 / 60;
const spec = (capacity: number, ratePerSecond = SLOW): BucketSpec => ({
  ratePerSecond,
  capacity,
  adaptive: null,
});
const news = (name: string, version: number, removed = false): BucketNews => ({ name, version, removed });

/** Buckets in this process, and the means to keep them from answering. */
class Buckets implements TokenSource {
  readonly buckets = new Map<string, Bucket>();
  asks = 0;
  isAway = false;
  gate: Gate | undefined;
  unlisted: readonly string[] = [];

  constructor(...named: (readonly [string, BucketSpec])[]) {
    for (const [name, each] of named) this.buckets.set(name, newBucket(each, performance.now()));
  }

  readonly ask: TokenSource['ask'] = async asks => {
    this.asks += asks.length;
    await this.gate?.opened;
    if (this.isAway) throw new Error('away');
    return asks.map(ask => {
      const bucket = this.buckets.get(ask.bucket);
      if (bucket === undefined) return null;
      const { bucket: after, grant } = grantTokens(bucket, ask, performance.now());
      this.buckets.set(ask.bucket, after);
      return grant;
    });
  };

  readonly list: TokenSource['list'] = async () => {
    if (this.isAway) throw new Error('away');
    return [...this.buckets.keys()].filter(name => !this.unlisted.includes(name)).map(name => news(name, 1));
  };

  unspent(name: string): number {
    const { state } = issueTokens(this.buckets.get(name)!, performance.now());
    return Math.floor(state.level) + heldTokens(state);
  }
}

const started = async (source: TokenSource) => {
  const admission = new Admission(source, { waitMs: 300, askMs: 200, waiting: 100, listMs: 50, removed: 10 });
  admission.start();
  await admission.admit('route:nothing');
  return admission;
};

describe('admission by a token bucket', () => {
  it('costs nothing where there is none', async () => {
    const source = new Buckets();
    const admission = await started(source);
    expect(admission.admit('route:orders')).toBe(false);
    expect(source.asks).toBe(0);
    await admission.stop();
  });

  it('lets the first call wait for its block, and takes later tokens without asking anybody', async () => {
    const source = new Buckets(['route:orders', spec(1_000)]);
    const admission = await started(source);
    expect(
      await Promise.all(Array.from({ length: 50 }, async () => admission.admit('route:orders'))),
    ).toEqual(Array(50).fill(true));
    // The next block is fetched in the background.
    await eventually(
      async () => admission.admit('route:orders'),
      () => typeof admission.admit('route:orders') === 'boolean',
    );
    await admission.stop();
    expect(source.asks).toBeLessThan(20);
  });

  it('admits no more than there are tokens, and says when there may be one', async () => {
    const source = new Buckets(['route:orders', spec(3)]);
    const admission = await started(source);
    const settled = await Promise.allSettled(
      Array.from({ length: 10 }, async () => admission.admit('route:orders')),
    );
    expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(3);
    const refusals = settled.flatMap(each =>
      each.status === 'rejected' ? [each.reason as TooManyRequests] : [],
    );
    for (const refusal of refusals) expect(refusal).toBeInstanceOf(TooManyRequests);
    expect(refusals[0]!.retryAfterSeconds).toBeGreaterThan(55);
    expect(refusals[0]!.retryAfterSeconds).toBeLessThanOrEqual(60);
    await admission.stop();
    expect(admission.counts.get('route:orders')).toEqual({ admitted: 3, refused: 7 });
    // Both were reported with the last ask.
    expect(source.buckets.get('route:orders')!.state).toMatchObject({ admitted: 3, refused: 7 });
  });

  it('lets no more calls wait for a block than may', async () => {
    const source = new Buckets(['route:orders', spec(1_000)]);
    const admission = await started(source);
    source.gate = new Gate();
    const calls = Array.from({ length: 150 }, async () => admission.admit('route:orders'));
    const refused = await Promise.allSettled(calls.slice(100));
    expect(refused.map(each => each.status === 'rejected' && each.reason instanceof TooManyRequests)).toEqual(
      Array(50).fill(true),
    );
    source.gate.release();
    expect(await Promise.all(calls.slice(0, 100))).toEqual(Array(100).fill(true));
    await admission.stop();
  });

  it('gives unspent tokens back when it stops', async () => {
    const source = new Buckets(['route:orders', spec(100)]);
    const admission = await started(source);
    for (let n = 0; n < 7; n += 1) await admission.admit('route:orders');
    await admission.stop();
    expect(heldTokens(source.buckets.get('route:orders')!.state)).toBe(0);
    expect(source.unspent('route:orders')).toBe(93);
  });

  it('gives unspent tokens back when nobody calls any more', async () => {
    const source = new Buckets(['route:orders', spec(100)]);
    const admission = await started(source);
    for (let n = 0; n < 7; n += 1) await admission.admit('route:orders');
    await eventually(
      async () => source.buckets.get('route:orders')!.state,
      state => state.level >= 93 && heldTokens(state) === 0,
    );
    await admission.stop();
  });

  it('is refused while nobody answers for the buckets, and goes on when somebody does', async () => {
    const source = new Buckets(['route:orders', spec(100)]);
    const admission = await started(source);
    source.isAway = true;
    await expect((async () => admission.admit('route:orders'))()).rejects.toThrow(AdmissionUnavailable);
    source.isAway = false;
    expect(
      await eventually(
        async () => {
          try {
            return await admission.admit('route:orders');
          } catch {
            return undefined;
          }
        },
        admitted => admitted !== undefined,
      ),
    ).toBe(true);
    await admission.stop();
  });

  it('does not take an answer that came after it was given up', async () => {
    const source = new Buckets(['route:orders', spec(5)]);
    const admission = await started(source);
    source.gate = new Gate();
    await expect((async () => admission.admit('route:orders'))()).rejects.toThrow(AdmissionUnavailable);
    source.gate.release();
    source.gate = undefined;
    const admitted = async () => {
      try {
        return await admission.admit('route:orders');
      } catch (error) {
        return error;
      }
    };
    const outcomes: unknown[] = [];
    await eventually(admitted, outcome => {
      outcomes.push(outcome);
      return outcome instanceof TooManyRequests;
    });
    expect(outcomes.filter(outcome => outcome === true)).toHaveLength(5);
    await admission.stop();
  });

  it('is refused before it is known which buckets there are', async () => {
    const source = new Buckets(['route:orders', spec(5)]);
    source.isAway = true;
    const admission = new Admission(source);
    admission.start();
    await expect((async () => admission.admit('route:orders'))()).rejects.toThrow(AdmissionUnavailable);
    await admission.stop();
  });

  it('follows news in any order, and a bucket that is gone limits nobody', async () => {
    const source = new Buckets();
    const admission = await started(source);
    source.buckets.set('route:orders', newBucket(spec(1), performance.now()));
    admission.learn(news('route:orders', 7));
    admission.learn(news('route:orders', 6, true));
    expect(await admission.admit('route:orders')).toBe(true);
    admission.learn(news('route:orders', 8, true));
    admission.learn(news('route:orders', 7));
    expect(admission.admit('route:orders')).toBe(false);
    // Gone without any news: the answer to an ask says so.
    admission.learn(news('route:orders', 9));
    source.buckets.delete('route:orders');
    expect(await admission.admit('route:orders')).toBe(false);
    await admission.stop();
  });

  it('finds in the list what no news told of', async () => {
    const source = new Buckets();
    const admission = await started(source);
    source.buckets.set('route:orders', newBucket(spec(5), performance.now()));
    await eventually(
      async () => admission.admit('route:orders'),
      hasBucket => hasBucket,
    );
    source.unlisted = ['route:orders'];
    await eventually(
      async () => {
        try {
          return await admission.admit('route:orders');
        } catch {
          return true;
        }
      },
      hasBucket => !hasBucket,
    );
    await admission.stop();
  });
});
