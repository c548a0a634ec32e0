/** When an instance is ejected, and for how long. */
export interface OutlierLimits {
  /** Failures in a row, without an answer between them, after which an instance is ejected. */
  readonly failures: number;
  /** The shortest silence that counts as a failure, in ms: an earlier deadline tells nothing about the instance. */
  readonly silentMs: number;
  /** How long the first ejection lasts, in ms. Each further one without an answer lasts twice as long. */
  readonly pauseMs: number;
  readonly longestPauseMs: number;
  /** The largest share of a service's instances that may be ejected, from 0 to 1. */
  readonly share: number;
}

export const OUTLIER_LIMITS: OutlierLimits = {
  failures: 3,
  silentMs: 500,
  pauseMs: 1_000,
  longestPauseMs: 30_000,
  share: 0.5,
};

/** Most instances that anything is held against. Beyond it, the one that was suspected first is forgiven. */
const MAX_SUSPECTS = 1_000;

interface Suspect {
  failures: number;
  ejections: number;
  ejected: boolean;
}

/**
 * Which instances do not answer. An ejected one is ranked behind the others, so that no request waits for it, and comes
 * back when a probe is answered. Only a bounded share is ejected: when most of a service is silent, the cause is
 * elsewhere, and leaving the rest out would only overload what still answers.
 *
 * The rules are those of Envoy's outlier detection (consecutive local-origin failures, ejection time that grows with
 * each ejection, `max_ejection_percent`). The return is that of a half-open circuit breaker (Nygard, Release It!): one
 * probe decides. Pure state; whoever keeps it sends the probes.
 */
export class OutlierDetection {
  private readonly suspects = new Map<string, Suspect>();

  constructor(private readonly limits: OutlierLimits = OUTLIER_LIMITS) {}

  /** The same ranking with the ejected instances last. */
  rank(ranked: readonly string[]): string[] {
    return [
      ...ranked.filter(address => !this.isEjected(address)),
      ...ranked.filter(address => this.isEjected(address)),
    ];
  }

  isEjected(address: string): boolean {
    return this.suspects.get(address)?.ejected === true;
  }

  /** It answered: nothing is held against it any more. @returns whether it was ejected until now */
  answered(address: string): boolean {
    const wasEjected = this.isEjected(address);
    this.suspects.delete(address);
    return wasEjected;
  }

  /**
   * It did not answer.
   * @param instances all instances of the service; an address that is none of them has no others to go to
   * @returns if this failure ejects it, the time until it is to be probed, in ms
   */
  failed(address: string, instances: readonly string[]): number | undefined {
    if (!instances.includes(address)) return undefined;
    const suspect = this.suspects.get(address) ?? { failures: 0, ejections: 0, ejected: false };
    this.suspects.set(address, suspect);
    if (this.suspects.size > MAX_SUSPECTS) this.suspects.delete(this.suspects.keys().next().value!);
    suspect.failures += 1;
    if (suspect.ejected || suspect.failures < this.limits.failures) return undefined;
    const ejected = instances.filter(each => this.isEjected(each)).length;
    if (ejected + 1 > Math.floor(instances.length * this.limits.share)) return undefined;
    suspect.ejected = true;
    return this.nextPause(suspect);
  }

  /** A probe was not answered. @returns the time until the next one, in ms */
  probeFailed(address: string): number {
    return this.nextPause(this.suspects.get(address) ?? { failures: 0, ejections: 0, ejected: false });
  }

  private nextPause(suspect: Suspect): number {
    const pause = Math.min(this.limits.pauseMs * 2 ** suspect.ejections, this.limits.longestPauseMs);
    suspect.ejections += 1;
    return pause;
  }
}
