import type { Click, Decision } from '#contracts';

/** A click, and until when it may be decided, in ms since 1970 by the database's clock. */
export interface DatedClick extends Click {
  readonly deadline: number;
}

/** Everything that a decision depends on, read under the campaign's lock. */
export interface CampaignState {
  /** The time of the decision, by the database's clock, in ms since 1970. */
  readonly now: number;
  readonly available: number;
  readonly perUserLimit: number;
  readonly phase: 'not_started' | 'running' | 'ended';
  /** The quantity that each buyer of this batch already has from this campaign. */
  readonly tallies: ReadonlyMap<string, number>;
  readonly blocked: ReadonlySet<string>;
  /** The number of recent reservations of each buyer of this batch, in any campaign. */
  readonly recent: ReadonlyMap<string, number>;
  readonly maxRecent: number;
  /** Repeated clicks that were already reserved. */
  readonly reservedBefore: ReadonlySet<string>;
}

/** Decides clicks in order; each one sees what the earlier ones have taken. Pure. */
export function decide(state: CampaignState, clicks: readonly DatedClick[]): Decision[] {
  const taken = new Map<string, number>();
  const recent = new Map(state.recent);
  let available = state.available;
  return clicks.map(({ reservationId, buyerId, quantity, deadline }) => {
    // What is decided stays decided.
    if (state.reservedBefore.has(reservationId)) return 'reserved';
    if (deadline <= state.now) return 'expired';
    if (state.phase !== 'running') return state.phase;
    if (state.blocked.has(buyerId) || (recent.get(buyerId) ?? 0) >= state.maxRecent) return 'risk_rejected';
    const already = (state.tallies.get(buyerId) ?? 0) + (taken.get(buyerId) ?? 0);
    if (already + quantity > state.perUserLimit) return 'limit_reached';
    if (quantity > available) return 'sold_out';
    available -= quantity;
    taken.set(buyerId, (taken.get(buyerId) ?? 0) + quantity);
    recent.set(buyerId, (recent.get(buyerId) ?? 0) + 1);
    return 'reserved';
  });
}
