import { setTimeout } from 'node:timers/promises';
import { z } from 'zod';
import type { ShopHttp } from './http.js';
import { table } from './table.js';

const Audit = z.object({
  clean: z.boolean(),
  settled: z.boolean(),
  computedAt: z.string(),
  /** Services that did not answer. */
  unanswered: z.array(z.string()),
  invariants: z.array(
    z.object({
      invariant: z.string(),
      holds: z.boolean(),
      figures: z.record(z.string(), z.union([z.number(), z.string()])),
    }),
  ),
});
export type Audit = z.output<typeof Audit>;

export async function audit(shop: ShopHttp): Promise<Audit> {
  return Audit.parse(await shop.get('/api/admin/audit', await shop.asOperator()));
}

/**
 * The audit once nothing is in flight: repeated until it is settled, or until it has made no progress for
 * `patienceMs`; then as it is.
 */
export async function settledAudit(shop: ShopHttp, patienceMs = 60_000): Promise<Audit> {
  let progress = '';
  let since = performance.now();
  for (;;) {
    const now = await audit(shop).catch(() => undefined);
    if (now?.settled && (now.clean || performance.now() - since > patienceMs / 10)) return now;
    const seen = JSON.stringify(now?.invariants);
    if (seen !== progress) [progress, since] = [seen, performance.now()];
    if (performance.now() - since > patienceMs) return now ?? (await audit(shop));
    await setTimeout(250);
  }
}

/** The audit as a person reads it. */
export function auditReport({ clean, settled, unanswered, invariants }: Audit): string {
  const rows = invariants.map(({ invariant, holds, figures }) => [
    holds ? '✓' : '✗',
    invariant,
    Object.entries(figures)
      .map(([name, value]) => `${name} ${value}`)
      .join(', '),
  ]);
  const away = unanswered.length === 0 ? '' : `\nno answer from ${unanswered.join(', ')}`;
  return `${table(rows)}${away}\naudit: ${!settled ? 'NOT SETTLED, messages are still on their way' : clean ? 'clean' : 'NOT CLEAN'}`;
}
