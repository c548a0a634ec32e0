import type { HotItem } from '#contracts';
import type { Counter } from './space-saving.js';

/** What is hot. Points are those of the window: `PER_VIEW` and `PER_ORDER`. */
export interface HotPolicy {
  /** A product becomes hot when it certainly has as many points. */
  readonly enter: number;
  /** It cools down when it no longer certainly has as many points. Less than `enter`, so that no product goes in and out at the border. */
  readonly leave: number;
  /** How long it stays hot at least, in ms. */
  readonly minStayMs: number;
  /** Most products that are hot at a time. */
  readonly most: number;
}

/** What has changed since the last decision. */
export interface HotDecision {
  /** The hottest first. */
  readonly hot: readonly HotItem[];
  readonly cooled: readonly string[];
  readonly changed: boolean;
}

/**
 * Decides what is hot, with hysteresis. What a product certainly has decides, `count - error`: the error of the counts marks
 * nothing hot that is not. It may cool a product down early, whose points are within N / capacity of the border. Pure.
 * @param before what was hot
 * @param counters the points of the window
 * @param now by the clock that `since` is of, in ms since 1970
 */
export function decideHot(
  before: readonly Pick<HotItem, 'sku' | 'since'>[],
  counters: readonly Counter[],
  now: number,
  { enter, leave, minStayMs, most }: HotPolicy,
): HotDecision {
  const points = new Map(counters.map(counter => [counter.key, counter]));
  const staying = before
    .filter(({ sku, since }) => now - Date.parse(since) < minStayMs || sureOf(points.get(sku)) >= leave)
    .map(({ sku, since }) => ({ sku, since, ...pointsOf(points.get(sku)) }));
  const wereHot = new Set(before.map(({ sku }) => sku));
  const since = new Date(now).toISOString();
  const entering = counters
    .filter(counter => sureOf(counter) >= enter && !wereHot.has(counter.key))
    .map(counter => ({ sku: counter.key, since, ...pointsOf(counter) }))
    .sort(hottestFirst)
    .slice(0, Math.max(most - staying.length, 0));
  const hot = [...staying, ...entering].sort(hottestFirst);
  const stays = new Set(staying.map(({ sku }) => sku));
  const cooled = before.map(({ sku }) => sku).filter(sku => !stays.has(sku));
  return { hot, cooled, changed: entering.length > 0 || cooled.length > 0 };
}

function sureOf(counter: Pick<Counter, 'count' | 'error'> | undefined): number {
  return counter === undefined ? 0 : counter.count - counter.error;
}

function pointsOf(counter: Counter | undefined): { count: number; error: number } {
  return { count: counter?.count ?? 0, error: counter?.error ?? 0 };
}

function hottestFirst(a: HotItem, b: HotItem): number {
  return sureOf(b) - sureOf(a) || b.count - a.count || (a.sku < b.sku ? -1 : 1);
}
