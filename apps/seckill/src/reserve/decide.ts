import type { Click, Decision } from '#contracts';

/** All that a decision rests on, read under the campaign's lock. */
export interface CampaignState {
  readonly available: number;
  readonly perUserLimit: number;
  readonly phase: 'not_started' | 'running' | 'ended';
  /** What each buyer of this batch already has of this campaign. */
  readonly tallies: ReadonlyMap<string, number>;
  readonly blocked: ReadonlySet<string>;
  /** What each buyer of this batch reserved lately, in any campaign. */
  readonly recent: ReadonlyMap<string, number>;
  readonly maxRecent: number;
  /** Clicks that were decided before, and are asked for again. */
  readonly reservedBefore: ReadonlySet<string>;
}

/** Decides clicks in their order, each with what those before it have taken. Pure. */
export function decide(state: CampaignState, clicks: readonly Click[]): Decision[] {
  const taken = new Map<string, number>();
  const recent = new Map(state.recent);
  let available = state.available;
  return clicks.map(({ reservationId, buyerId, quantity }) => {
    if (state.reservedBefore.has(reservationId)) return 'reserved';
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
