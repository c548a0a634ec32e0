import { z } from 'zod';

/**
 * A summary of a set of ids, so that two services can compare their sets without sending them: the number of
 * ids, the number of distinct ids, and the sum of their hashes. If all three are equal, the sets are the
 * same.
 */
export const IdSet = z.object({ count: z.int(), distinct: z.int(), checksum: z.string() });
export type IdSet = z.output<typeof IdSet>;

/** Names a set of ids that a service can report. */
export const SetFact = z.object({ kind: z.literal('set'), service: z.string(), name: z.string() });
export type SetFact = z.output<typeof SetFact>;

/** Names a figure that a service can report. */
export const NumberFact = z.object({ kind: z.literal('number'), service: z.string(), name: z.string() });
export type NumberFact = z.output<typeof NumberFact>;

type FactOf<Kind> = Kind extends 'set' ? SetFact : NumberFact;

/** The facts that a service reports to an audit. Other services compare theirs with them. */
export type FactsOf<Shape extends Readonly<Record<string, 'set' | 'number'>>> = {
  readonly [Name in keyof Shape]: FactOf<Shape[Name]>;
};

/** Declares the facts of a service, each with its kind: `defineFacts('points', { awarded: 'set' })`. */
export function defineFacts<const Shape extends Readonly<Record<string, 'set' | 'number'>>>(
  service: string,
  shape: Shape,
): FactsOf<Shape> {
  const facts = Object.entries(shape).map(([name, kind]) => [name, { kind, service, name }]);
  return Object.fromEntries(facts) as FactsOf<Shape>;
}
