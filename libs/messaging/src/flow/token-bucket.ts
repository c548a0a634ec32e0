import { adaptRate, type RateBounds, type RateSignals } from './adaptive-rate.js';

/** What an operator sets. */
export interface BucketSpec {
  /** Tokens issued a second; with `adaptive`, the rate of this moment. */
  readonly ratePerSecond: number;
  /** Most tokens that may be unspent at one moment, wherever they are; a whole number of at least 1. */
  readonly capacity: number;
  /** Where the rate follows what the backend completes: its bounds. */
  readonly adaptive: RateBounds | null;
}

/** What a holder has done since its session began. */
export interface TokenCounts {
  readonly admitted: number;
  readonly refused: number;
  /** Admitted calls that ended, without those that were overloaded. */
  readonly completed: number;
  /** Admitted calls whose end says that the backend has too much to do. */
  readonly overloaded: number;
}

/** A holder of tokens, such as a gateway, asks for a block. It has one ask under way at a time. */
export interface TokenAsk extends TokenCounts {
  readonly bucket: string;
  /** The holder's session. Whoever restarts, or was silent for TOKEN_LIFE_MS, begins another one. */
  readonly holder: string;
  /** 1, 2, … in the session. Only the answer to its last ask counts to a holder. */
  readonly number: number;
  /** Tokens that it still has and may spend. Whatever else it was given is spent, or will never be. */
  readonly holding: number;
  /** Tokens that it can use; 0 when it only reports. */
  readonly want: number;
}

export interface TokenGrant {
  readonly tokens: number;
  /** If this was less than it wanted: in how many ms to ask again. */
  readonly againMs: number;
  /** In how many ms there can be a token, in ms. */
  readonly tokenMs: number;
}

interface Holder extends TokenCounts {
  readonly number: number;
  /** Tokens that count as unspent. */
  readonly held: number;
  /** When its tokens are void, in ms by the bucket's clock. */
  readonly until: number;
}

/** What changes with every ask. */
export interface BucketState {
  /** Issued tokens that nobody holds. */
  readonly level: number;
  /** Up to when tokens were issued, in ms since 1970. */
  readonly issuedAt: number;
  readonly holders: Readonly<Record<string, Holder>>;
  readonly admitted: number;
  readonly refused: number;
  /** What the adaptive rate has seen since it was last set. */
  readonly seen: RateSignals & { readonly since: number };
}

/** A token bucket, as its row is stored. */
export interface Bucket extends BucketSpec {
  readonly state: BucketState;
}

/** How long the tokens of a silent holder count as unspent, in ms. */
export const HELD_MS = 5_000;
/** How long a holder uses tokens after it asked, in ms. It is shorter, so that no drift of clocks makes a token count twice. */
export const TOKEN_LIFE_MS = 4_000;
/** How often a holder asks whose demand exceeds the rate, in ms. */
export const PACE_MS = 25;
/** The same at more than 100 tokens a second, in ms at least. */
const FASTEST_MS = 5;
/** Longest pause before a holder with demand asks again, in ms: it learns of a changed rate even if it missed the news. */
const LONGEST_MS = 1_000;
/** How often an adaptive rate is set, in ms, and the longest time that one decision looks back to. */
const ADAPT_MS = 1_000;
const LOOK_BACK_MS = 5_000;

const NOTHING: TokenCounts = { admitted: 0, refused: 0, completed: 0, overloaded: 0 };

/** A new bucket is full. */
export function newBucket(spec: BucketSpec, now: number): Bucket {
  const seen = { since: now, admitted: 0, completed: 0, overloaded: 0 };
  return {
    ...spec,
    state: { level: spec.capacity, issuedAt: now, holders: {}, admitted: 0, refused: 0, seen },
  };
}

/** Tokens that holders have, or may have. */
export function heldTokens({ holders }: BucketState): number {
  return Object.values(holders).reduce((total, { held }) => total + held, 0);
}

/**
 * Issues the tokens of the time since the last call. Whoever calls it next is the generator: it starts where the one
 * before it stopped, so a generator that dies doubles nothing and leaves nothing out.
 *
 * At no moment are more than `capacity` tokens unspent: what was held counts for the whole time for which it was held,
 * and what would exceed the capacity at that moment is discarded. Hence, of the tokens spent in a window of length t,
 * at most `capacity` were there when it began and at most rate × t were issued in it.
 */
export function issueTokens(bucket: Bucket, now: number): Bucket {
  const { ratePerSecond, capacity, state } = bucket;
  let { level, issuedAt: at } = state;
  // A clock that was set back issues nothing for the time that it repeats, and holds nobody up for longer than usual.
  at = Math.min(at, now);
  const holders = new Map(
    Object.entries(state.holders).map(([name, holder]) => [
      name,
      { ...holder, until: Math.min(holder.until, now + HELD_MS) },
    ]),
  );
  // #region issue
  let held = heldTokens(state);
  const issueUntil = (until: number) => {
    const issued = level + (ratePerSecond / 1_000) * Math.max(0, until - at);
    level = Math.max(0, Math.min(issued, capacity - held));
    at = Math.max(at, until);
  };
  const over = [...holders].filter(([, { until }]) => until <= now);
  for (const [name, holder] of over.sort(([, one], [, two]) => one.until - two.until)) {
    // Its tokens may have been spent: they are discarded, and their room is free from this moment on.
    issueUntil(holder.until);
    held -= holder.held;
    holders.delete(name);
  }
  issueUntil(now);
  // #endregion
  return { ...bucket, state: { ...state, level, issuedAt: at, holders: Object.fromEntries(holders) } };
}

/**
 * Grants a block: as many tokens as are wanted and there. What the holder reports is taken first. An ask that comes
 * again gives back what its first copy was granted, and is granted no less: whichever answer arrives, it is covered.
 * One that was overtaken by the holder's next ask gets nothing.
 */
export function grantTokens(
  bucket: Bucket,
  ask: TokenAsk,
  now: number,
): { bucket: Bucket; grant: TokenGrant } {
  const issued = issueTokens(bucket, now);
  const before = issued.state.holders[ask.holder];
  if (before !== undefined && ask.number < before.number)
    return { bucket: issued, grant: { tokens: 0, ...pauseOf(issued, before.held) } };
  const reported = takeReport(issued, ask, before, now);
  const { level, holders } = reported.state;
  const granted = Math.min(ask.want, Math.floor(level));
  const holder = reported.state.holders[ask.holder]!;
  const held = holder.held + granted;
  const state = {
    ...reported.state,
    level: level - granted,
    holders: { ...holders, [ask.holder]: { ...holder, held } },
  };
  const after = { ...reported, state };
  return { bucket: after, grant: { tokens: granted, ...pauseOf(after, held) } };
}

/** What has changed since the ask before: tokens were spent, others are given back because they never will be. */
function takeReport(bucket: Bucket, ask: TokenAsk, before: Holder | undefined, now: number): Bucket {
  const { state } = bucket;
  const { number, holding, admitted, refused, completed, overloaded } = ask;
  // A session that the bucket does not know any more was counted up to then.
  const counted = before ?? (number === 1 ? NOTHING : ask);
  // What it still has is not taken for granted to be void: perhaps the bucket is another one than it was.
  const unspent =
    before === undefined
      ? holding
      : before.held - Math.min(before.held, Math.max(0, admitted - before.admitted));
  const held = Math.min(holding, unspent);
  const holder = { number, held, until: now + HELD_MS, admitted, refused, completed, overloaded };
  const holders = { ...state.holders, [ask.holder]: holder };
  const level = Math.min(state.level + unspent - held, bucket.capacity - heldTokens({ ...state, holders }));
  const seen = {
    ...state.seen,
    admitted: state.seen.admitted + admitted - counted.admitted,
    completed: state.seen.completed + completed - counted.completed,
    overloaded: state.seen.overloaded + overloaded - counted.overloaded,
  };
  return adapt(
    {
      ...bucket,
      state: {
        ...state,
        level: Math.max(0, level),
        holders,
        admitted: state.admitted + admitted - counted.admitted,
        refused: state.refused + refused - counted.refused,
        seen,
      },
    },
    now,
  );
}

/** Sets an adaptive rate once a second, with whichever ask comes then: while nobody asks, there is nothing to follow. */
function adapt(bucket: Bucket, now: number): Bucket {
  const { adaptive, ratePerSecond, state } = bucket;
  const { since, ...signals } = state.seen;
  const elapsedMs = now - since;
  if (elapsedMs >= 0 && elapsedMs < ADAPT_MS) return bucket;
  const seen = { since: now, admitted: 0, completed: 0, overloaded: 0 };
  // After a time without demand, or with a clock that was set back, it begins from the start.
  const isCurrent = elapsedMs > 0 && elapsedMs <= LOOK_BACK_MS;
  const rate =
    adaptive === null || !isCurrent ? ratePerSecond : adaptRate(adaptive, ratePerSecond, signals, elapsedMs);
  return { ...bucket, ratePerSecond: rate, state: { ...state, seen } };
}

/** When it is worth asking again: soon enough that no token is discarded for want of a report. */
function pauseOf({ ratePerSecond, capacity, state }: Bucket, held: number): Omit<TokenGrant, 'tokens'> {
  const perMs = ratePerSecond / 1_000;
  const tokenMs = Math.max(0, 1 - state.level) / perMs;
  const room = Math.max(0, capacity - state.level - heldTokens(state));
  const wantedMs =
    held > 0
      ? Math.min(PACE_MS, room / (2 * perMs))
      : Math.max(tokenMs, Math.min(PACE_MS, capacity / (4 * perMs)));
  const fastestMs = ratePerSecond > 100 ? FASTEST_MS : 0;
  return { againMs: Math.min(Math.max(wantedMs, fastestMs), LONGEST_MS), tokenMs };
}

/** Changes rate and capacity from now on. Tokens beyond a lower capacity are discarded, as far as nobody holds them. */
export function changeBucket(bucket: Bucket, spec: BucketSpec, now: number): Bucket {
  const { state } = issueTokens(bucket, now);
  const level = Math.max(0, Math.min(state.level, spec.capacity - heldTokens(state)));
  return { ...spec, state: { ...state, level } };
}
