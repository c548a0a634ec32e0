/** Maximum number of buyers to remember. Beyond it, the oldest window is dropped early, in their favor. */
const MAX_BUYERS = 200_000;

/**
 * Limits how fast a buyer clicks, with a sliding window counter: two fixed windows, weighted. It allows about
 * `limit` clicks in any `windowMs`. It counts in the memory of this instance: a brake, not a ledger.
 */
export class ClickRate {
  private current = new Map<string, number>();
  private previous = new Map<string, number>();
  private startedAt = 0;

  constructor(
    private readonly limit: number,
    private readonly windowMs: number,
  ) {}

  /** Counts a click and says whether it is within the limit. */
  allow(buyerId: string, now: number): boolean {
    this.turn(now);
    const clicks = (this.current.get(buyerId) ?? 0) + 1;
    this.current.set(buyerId, clicks);
    const rest = 1 - (now - this.startedAt) / this.windowMs;
    return clicks + (this.previous.get(buyerId) ?? 0) * rest <= this.limit;
  }

  private turn(now: number): void {
    const elapsed = now - this.startedAt;
    if (elapsed < this.windowMs && this.current.size < MAX_BUYERS) return;
    this.previous = elapsed < 2 * this.windowMs ? this.current : new Map<string, number>();
    this.current = new Map();
    this.startedAt = elapsed < 2 * this.windowMs ? this.startedAt + Math.min(elapsed, this.windowMs) : now;
  }
}
