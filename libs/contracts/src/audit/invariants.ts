import { z } from 'zod';
import { NumberFact, SetFact } from './facts.js';

/** A condition that always holds once nothing is in flight. The service that knows of it declares it. */
export const Invariant = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('same-set'), invariant: z.string(), of: SetFact, as: SetFact }),
  z.object({
    kind: z.literal('equal'),
    invariant: z.string(),
    of: NumberFact,
    as: NumberFact,
    /** What the two figures are called; their own names if left out. */
    labels: z.tuple([z.string(), z.string()]).optional(),
  }),
  z.object({ kind: z.literal('zero'), invariant: z.string(), of: z.array(NumberFact) }),
  z.object({ kind: z.literal('sum'), invariant: z.string(), of: z.array(NumberFact), as: NumberFact }),
]);
export type Invariant = z.output<typeof Invariant>;

/** The two sets have the same ids, each once. */
export function sameSet(invariant: string, of: SetFact, as: SetFact): Invariant {
  return { kind: 'same-set', invariant, of, as };
}

/** The two figures are equal. */
export function equal(invariant: string, of: NumberFact, as: NumberFact): Invariant {
  return { kind: 'equal', invariant, of, as };
}

/** The outside world has seen exactly as much as the shop has done. */
export function seenOutside(invariant: string, shop: NumberFact, outside: NumberFact): Invariant {
  return { kind: 'equal', invariant, of: shop, as: outside, labels: ['the shop', 'outside'] };
}

/** Every one of the figures is zero. */
export function zero(invariant: string, ...of: NumberFact[]): Invariant {
  return { kind: 'zero', invariant, of };
}

/** The figures add up to another figure. */
export function sum(invariant: string, of: NumberFact[], as: NumberFact): Invariant {
  return { kind: 'sum', invariant, of, as };
}
