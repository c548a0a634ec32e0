/** Bounds of a rate that adapts, in tokens a second. */
export interface RateBounds {
  readonly min: number;
  readonly max: number;
}

/** What was seen of a backend for some time. */
export interface RateSignals {
  readonly admitted: number;
  /** Calls that ended well. */
  readonly completed: number;
  /** Calls that were refused as too many, timed out, or took too long. */
  readonly overloaded: number;
}

/** The share of overloaded calls above which the rate falls. */
const OVERLOADED_SHARE = 0.01;
/** What is left of the rate, or of what was completed, after an overload. */
const DECREASE = 0.8;
/** What is added in a second, as a share of the distance between the bounds. */
const INCREASE = 0.05;
/** The share of the rate that must be used before it rises. */
const USED_SHARE = 0.8;

/**
 * The next rate: additive increase, multiplicative decrease (D.-M. Chiu and R. Jain, "Analysis of the Increase and
 * Decrease Algorithms for Congestion Avoidance in Computer Networks", 1989). After an overload it falls to a part of
 * what was completed; otherwise it rises by a step, unless demand does not use it: a limit that was not reached says
 * nothing about a higher one (RFC 7661, on congestion windows).
 */
export function adaptRate(
  { min, max }: RateBounds,
  rate: number,
  { admitted, completed, overloaded }: RateSignals,
  elapsedMs: number,
): number {
  const seconds = elapsedMs / 1_000;
  if (seconds <= 0) return rate;
  const bounded = (wanted: number) => Math.min(max, Math.max(min, wanted));
  const finished = completed + overloaded;
  if (overloaded > finished * OVERLOADED_SHARE)
    return bounded(DECREASE * Math.min(rate, completed / seconds));
  if (admitted < USED_SHARE * rate * seconds) return bounded(rate);
  return bounded(rate + INCREASE * (max - min) * Math.min(seconds, 1));
}
