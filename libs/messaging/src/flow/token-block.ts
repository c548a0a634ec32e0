import { PACE_MS, TOKEN_LIFE_MS, type TokenAsk, type TokenCounts, type TokenGrant } from './token-bucket.js';

/** How long the demand of this moment is provided for, in ms. */
const HORIZON_MS = 4 * PACE_MS;
/** The shortest time over which demand is measured, in ms. */
const SHORTEST_MS = 10;
/** Without demand for this long, unspent tokens are given back, in ms. */
export const IDLE_MS = 1_000;
/** How long after a failed ask the next one waits, in ms. */
const AWAY_MS = 200;

type Counts = { -readonly [Count in keyof TokenCounts]: TokenCounts[Count] };

/**
 * - `taken`: a token was spent.
 * - `wait`: there is none here, and an ask is under way or due.
 * - `none`: there is none, and none is to be had before `tokenAt`.
 * - `away`: nobody answered the last ask.
 */
export type Taken = 'taken' | 'wait' | 'none' | 'away';

interface Sent {
  readonly at: number;
  readonly number: number;
  readonly want: number;
  readonly counts: TokenCounts;
}

/**
 * One holder's tokens of one bucket, and what it tells the bucket. It neither calls nor waits: whoever uses it sends
 * `ask` when `isDue`, and hands over what came of it. Every `now` is in ms by a clock that never goes back.
 */
export class TokenBlock {
  private tokens = 0;
  /** Until when the session, and with it every token, is good. */
  private until = -Infinity;
  private holder = '';
  private number = 0;
  private sent: Sent | undefined;
  private askAt = -Infinity;
  private isAway = false;
  /** When there may be a token, as far as is known. */
  tokenAt = -Infinity;

  private readonly counts: Counts = { admitted: 0, refused: 0, completed: 0, overloaded: 0 };
  /** What the bucket is known to have counted, and what it had when the session began. */
  private told: TokenCounts = { ...this.counts };
  private base: TokenCounts = this.told;

  private calls = 0;
  private callsSince: number;
  private lastCallAt: number;
  /** Calls for each ms. */
  private demand = 0;

  /** @param newHolder a name that no other session has */
  constructor(
    private readonly bucket: string,
    private readonly newHolder: () => string,
    now: number,
  ) {
    this.lastCallAt = now;
    this.callsSince = now - 1_000;
  }

  /** A call arrives. It is counted once, however often it tries to take. */
  arrive(now: number): Taken {
    this.calls += 1;
    this.lastCallAt = now;
    return this.take(now);
  }

  take(now: number): Taken {
    if (this.tokens > 0 && now < this.until) {
      this.tokens -= 1;
      this.counts.admitted += 1;
      return 'taken';
    }
    if (this.sent !== undefined || now >= this.askAt) return 'wait';
    return this.isAway ? 'away' : 'none';
  }

  /** The call got no token. */
  refuse(): void {
    this.counts.refused += 1;
  }

  /** An admitted call has ended. */
  finish(isOverloaded: boolean): void {
    if (isOverloaded) this.counts.overloaded += 1;
    else this.counts.completed += 1;
  }

  /** Whether to ask now: tokens run low, or nothing was heard of the session for half of its life. */
  isDue(now: number): boolean {
    if (this.sent !== undefined || now < this.askAt) return false;
    return this.tokens <= this.target / 2 || now >= this.until - TOKEN_LIFE_MS / 2;
  }

  /** Whether it has something to give back or to tell, and nobody has called for a while. */
  isIdle(now: number): boolean {
    return this.sent === undefined && now >= this.askAt && now - this.lastCallAt >= IDLE_MS && this.hasNews;
  }

  /** Whether it has tokens to give back, or counts to report. */
  get hasNews(): boolean {
    const { counts, told } = this;
    return (
      this.tokens > 0 ||
      counts.admitted > told.admitted ||
      counts.refused > told.refused ||
      counts.completed > told.completed ||
      counts.overloaded > told.overloaded
    );
  }

  private get target(): number {
    return Math.ceil(this.demand * HORIZON_MS);
  }

  /**
   * @param waiting calls that wait for a token
   * @param isLast whether everything is given back
   */
  ask(now: number, waiting: number, isLast = false): TokenAsk {
    if (now >= this.until) this.beginSession(now);
    const measured = this.calls / Math.max(now - this.callsSince, SHORTEST_MS);
    this.demand = Math.max(measured, this.demand / 2);
    [this.calls, this.callsSince] = [0, now];
    const isLeaving = isLast || (now - this.lastCallAt >= IDLE_MS && waiting === 0);
    const target = isLeaving ? 0 : Math.max(1, this.target);
    this.tokens = Math.min(this.tokens, target);
    const want = isLeaving ? 0 : Math.max(target - this.tokens, waiting);
    this.number += 1;
    const counts = { ...this.counts };
    this.sent = { at: now, number: this.number, want, counts };
    const { bucket, holder, number, tokens: holding, base } = this;
    return {
      bucket,
      holder,
      number,
      holding,
      want,
      admitted: counts.admitted - base.admitted,
      refused: counts.refused - base.refused,
      completed: counts.completed - base.completed,
      overloaded: counts.overloaded - base.overloaded,
    };
  }

  private beginSession(now: number): void {
    this.tokens = 0;
    this.holder = this.newHolder();
    this.number = 0;
    this.base = this.told;
    this.until = now + TOKEN_LIFE_MS;
  }

  /** The answer to an ask. An answer to any but the last one is not taken: that block was given back. */
  answered(number: number, { tokens, againMs, tokenMs }: TokenGrant, now: number): void {
    const { sent } = this;
    if (sent?.number !== number) return;
    this.sent = undefined;
    this.isAway = false;
    this.told = sent.counts;
    if (now >= this.until) this.tokens = 0;
    this.tokens += tokens;
    // The bucket counts from when it answered, so this ends first.
    this.until = sent.at + TOKEN_LIFE_MS;
    this.tokenAt = now + tokenMs;
    // Holders that ask in step would always share in the same way.
    const pauseMs = againMs <= PACE_MS ? againMs * (0.5 + Math.random() / 2) : againMs;
    this.askAt = tokens < sent.want ? now + pauseMs : -Infinity;
  }

  /** The last ask was lost, or its answer was: what it would have brought is not used. */
  failed(number: number, now: number): void {
    if (this.sent?.number !== number) return;
    this.sent = undefined;
    this.isAway = true;
    this.askAt = now + AWAY_MS;
    this.tokenAt = this.askAt;
  }

  /** Rate or capacity changed: it is worth asking at once. */
  changed(): void {
    if (!this.isAway) this.askAt = -Infinity;
  }
}
