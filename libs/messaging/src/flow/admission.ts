import { randomUUID } from 'node:crypto';
import { Logger } from '@nestjs/common';
import { DomainError } from '../message/domain-error.js';
import { BackgroundTask } from '../runtime/background-task.js';
import { Batcher } from '../runtime/batcher.js';
import { BoundedMap } from '../runtime/bounded-map.js';
import { untilNext } from '../runtime/until-next.js';
import { IDLE_MS, type Taken, TokenBlock } from './token-block.js';
import type { TokenAsk, TokenGrant } from './token-bucket.js';

/** A bucket exists, was changed or was removed. */
export interface BucketNews {
  readonly name: string;
  /** Grows with every change of any bucket. */
  readonly version: number;
  readonly removed: boolean;
}

/** Where the buckets are. */
export interface TokenSource {
  /** Asks for blocks: one answer for each ask, in their order, `null` where there is no such bucket. */
  ask(asks: readonly TokenAsk[]): Promise<readonly (TokenGrant | null)[]>;
  /** Every bucket that there is. */
  list(): Promise<readonly BucketNews[]>;
}

export interface AdmissionLimits {
  /** How long a call waits for blocks that are under way, in ms. */
  readonly waitMs: number;
  /** How long an answer is waited for, in ms. */
  readonly askMs: number;
  /** Most calls that wait for one bucket; any further call is refused. */
  readonly waiting: number;
  /** How often the list of buckets is renewed, in case that news was lost, in ms. */
  readonly listMs: number;
  /** Most buckets whose removal is remembered. */
  readonly removed: number;
}

export const DEFAULT_ADMISSION_LIMITS: AdmissionLimits = {
  waitMs: 500,
  askMs: 500,
  waiting: 20_000,
  listMs: 30_000,
  removed: 10_000,
};

/** Most asks in one request. */
export const MAX_ASKS = 500;

/** There is no token. */
export class TooManyRequests extends DomainError {
  readonly code = 'too_many_requests';
  constructor(
    readonly bucket: string,
    /** When there may be a token, in seconds from now. */
    readonly retryAfterSeconds: number,
  ) {
    super(`more calls than the rate of ${bucket} allows; try again in ${retryAfterSeconds} s`);
  }
}

/** It is not known whether there is a token: nobody answers for the bucket. */
export class AdmissionUnavailable extends DomainError {
  readonly code = 'unavailable';
  constructor(readonly bucket: string) {
    super(`nobody answers for the limit of ${bucket}; try again in a moment`);
  }
}

/** What is known of a bucket here, and who waits for its tokens. */
interface Entry {
  version: number;
  readonly block: TokenBlock;
  /** Resolves when the ask that is under way is over. */
  asking: Promise<void> | undefined;
  waiting: number;
}

/** Calls of one kind, such as of one route. */
export interface AdmissionCounts {
  admitted: number;
  refused: number;
}

/**
 * Admits calls by token buckets that it shares with other instances. It keeps a block of tokens of each bucket, and
 * fetches the next one in the background while there is demand: taking a token touches no network. A call that finds
 * none while a block is under way waits for that block, for a bounded time. Where no bucket is, everything is admitted.
 */
export class Admission {
  private readonly logger = new Logger(Admission.name);
  private readonly entries = new Map<string, Entry>();
  /** Versions of buckets that are gone: an older list may still have them. */
  private readonly removed: BoundedMap<string, number>;
  private readonly asking: Batcher<TokenAsk, TokenGrant | null>;
  private readonly listing: BackgroundTask;
  private isListed = false;
  private markTried!: () => void;
  /** Resolves when the first list was there, or could not be had. */
  private readonly tried = new Promise<void>(resolve => (this.markTried = resolve));
  private idleTimer: NodeJS.Timeout | undefined;
  /** By the kind that callers name. */
  readonly counts = new Map<string, AdmissionCounts>();

  constructor(
    private readonly source: TokenSource,
    private readonly limits: AdmissionLimits = DEFAULT_ADMISSION_LIMITS,
  ) {
    this.removed = new BoundedMap(limits.removed);
    this.asking = new Batcher(asks => source.ask(asks), { maxItems: MAX_ASKS, oneAtATime: false });
    this.listing = new BackgroundTask(
      async () => {
        await this.list().finally(() => this.markTried());
        return untilNext(limits.listMs);
      },
      { backoff: { firstMs: 250, longestMs: 5_000 }, onError: () => undefined },
    );
  }

  /** Buckets that are known here. */
  get size(): number {
    return this.entries.size;
  }

  start(): void {
    this.listing.start();
  }

  /** Gives back every token that was not spent. */
  async stop(): Promise<void> {
    await this.listing.stop();
    await this.settled();
    const now = performance.now();
    for (const [name, entry] of this.entries) if (entry.block.hasNews) this.ask(name, entry, now, true);
    await this.settled();
    clearTimeout(this.idleTimer);
  }

  private async settled(): Promise<void> {
    for (const { asking } of this.entries.values()) await asking;
  }

  /**
   * Takes a token of the bucket. It returns at once when there is one here, or when there is no such bucket.
   * @param kind what the counts are kept by
   * @returns whether there is such a bucket
   * @throws TooManyRequests; AdmissionUnavailable when nobody answers for the buckets
   */
  admit(bucket: string, kind: string = bucket): boolean | Promise<boolean> {
    const entry = this.entries.get(bucket);
    if (entry === undefined) return this.isListed ? false : this.admitOnceListed(bucket, kind);
    const now = performance.now();
    const taken = entry.block.arrive(now);
    if (entry.block.isDue(now)) this.ask(bucket, entry, now);
    if (this.idleTimer === undefined) this.watchIdle();
    if (taken === 'wait') return this.waitFor(bucket, kind, entry, now + this.limits.waitMs);
    return this.settle(bucket, kind, entry, taken, now);
  }

  /** An admitted call has ended: an adaptive rate follows this. */
  finished(bucket: string, isOverloaded: boolean): void {
    this.entries.get(bucket)?.block.finish(isOverloaded);
    this.watchIdle();
  }

  /** News of a bucket, in any order and any number of copies. */
  learn({ name, version, removed }: BucketNews): void {
    const entry = this.entries.get(name);
    if (version <= (entry?.version ?? this.removed.get(name) ?? -1)) return;
    if (removed) return this.forget(name, version);
    this.removed.delete(name);
    if (entry !== undefined) {
      entry.version = version;
      return entry.block.changed();
    }
    const block = new TokenBlock(name, randomUUID, performance.now());
    this.entries.set(name, { version, block, asking: undefined, waiting: 0 });
  }

  private forget(name: string, version: number): void {
    this.entries.delete(name);
    this.removed.set(name, version);
  }

  /** Learns now which buckets there are, if somebody answers. */
  async refresh(): Promise<void> {
    await this.list().catch(() => undefined);
  }

  private async list(): Promise<void> {
    const before = new Map([...this.entries].map(([name, { version }]) => [name, version]));
    const all = await this.source.list();
    for (const each of all) this.learn(each);
    // What was known before the question and is not in the answer was removed, or its time is over.
    const there = new Set(all.map(({ name }) => name));
    for (const [name, version] of before)
      if (!there.has(name) && this.entries.get(name)?.version === version) this.forget(name, version);
    this.isListed = true;
  }

  private async admitOnceListed(bucket: string, kind: string): Promise<boolean> {
    await Promise.race([this.tried, afterMs(this.limits.waitMs)]);
    if (!this.isListed && !this.entries.has(bucket)) throw new AdmissionUnavailable(bucket);
    return this.admit(bucket, kind);
  }

  private async waitFor(bucket: string, kind: string, entry: Entry, until: number): Promise<boolean> {
    if (entry.waiting >= this.limits.waiting) return this.settle(bucket, kind, entry, 'none', until);
    entry.waiting += 1;
    let taken: Taken = 'wait';
    let now = performance.now();
    try {
      while (taken === 'wait' && now < until) {
        if (entry.asking === undefined) this.ask(bucket, entry, now);
        await entry.asking;
        now = performance.now();
        taken = entry.block.take(now);
      }
    } finally {
      entry.waiting -= 1;
    }
    // The bucket was removed meanwhile.
    if (this.entries.get(bucket)?.block !== entry.block && taken !== 'taken') return false;
    return this.settle(bucket, kind, entry, taken, now);
  }

  private settle(bucket: string, kind: string, { block }: Entry, taken: Taken, now: number): boolean {
    let counts = this.counts.get(kind);
    if (counts === undefined) this.counts.set(kind, (counts = { admitted: 0, refused: 0 }));
    if (taken === 'taken') {
      counts.admitted += 1;
      return true;
    }
    if (taken === 'away') throw new AdmissionUnavailable(bucket);
    counts.refused += 1;
    block.refuse();
    throw new TooManyRequests(bucket, Math.max(1, Math.ceil((block.tokenAt - now) / 1_000)));
  }

  private ask(bucket: string, entry: Entry, now: number, isLast = false): void {
    const ask = entry.block.ask(now, entry.waiting, isLast);
    const { number } = ask;
    entry.asking = withinMs(this.asking.add(ask), this.limits.askMs)
      .then(
        grant => {
          if (grant !== null) return entry.block.answered(number, grant, performance.now());
          entry.block.failed(number, performance.now());
          this.forget(bucket, entry.version);
        },
        (error: unknown) => {
          this.logger.debug(`no answer for the tokens of ${bucket}: ${String(error)}`);
          entry.block.failed(number, performance.now());
        },
      )
      .finally(() => (entry.asking = undefined));
  }

  /** Runs while there is something to give back or to report, and not while nobody calls. */
  private watchIdle(): void {
    this.idleTimer ??= setTimeout(() => {
      this.idleTimer = undefined;
      const now = performance.now();
      for (const [name, entry] of this.entries) {
        if (entry.block.isIdle(now)) this.ask(name, entry, now);
        if (entry.block.hasNews) this.watchIdle();
      }
    }, IDLE_MS / 2).unref();
  }
}

function afterMs(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms).unref());
}

async function withinMs<T>(work: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
