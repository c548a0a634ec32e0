import type { EntityManager } from 'typeorm';
import { PUBLICATION_STEPS } from '#contracts';

/** A part of a publication, as the messages name it. */
export interface Part {
  readonly publicationId: string;
  readonly chunk: number;
}

/** The steps after the first one, which work in the database alone. */
export type LaterStep = Exclude<(typeof PUBLICATION_STEPS)[number], 'register'>;

/**
 * The registered rows of a part that is at a step, as a query of $1 to $3. Only rows that still stand: another line or a
 * later publication may have taken their products since. Of a part that is not at the step, there are none.
 * @param columns those that are needed besides `sku` and `line`
 */
export const standing = (columns: string): string => `
SELECT r.* FROM publication_chunk c JOIN publication b ON b.id = c.publication_id
CROSS JOIN jsonb_to_recordset(c.rows) AS r(sku text, line int, ${columns})
JOIN product p ON p.sku = r.sku AND p.publication = b.number AND p.line = r.line
WHERE c.publication_id = $1 AND c.chunk = $2 AND c.steps = $3`;

/**
 * A step that is one statement: it writes what stands, and passes the part on.
 * @param columns those that it needs of the rows
 * @param write inserts from `standing`, and returns each SKU and whether it was there before: then it has changed
 */
export const stepOf = (columns: string, write: string): string => `
WITH standing AS MATERIALIZED (${standing(columns)}), written AS (${write}), passed AS (
  UPDATE publication_chunk c SET steps = c.steps + 1, same = ARRAY(
    SELECT unnest(c.same) EXCEPT SELECT s.line FROM standing s JOIN written w USING (sku) WHERE w.changed)
  WHERE c.publication_id = $1 AND c.chunk = $2 AND c.steps = $3 RETURNING c.chunk
)
SELECT EXISTS (SELECT FROM passed) AS passed, ARRAY(SELECT sku FROM written WHERE changed) AS changed`;

/** What a step has done. */
export interface Outcome {
  /** False when the part has been through the step, or has not come to it. */
  readonly passed: boolean;
  /** SKUs that were there before and are not as they were. */
  readonly changed: readonly string[];
}

export async function runStep(
  tx: EntityManager,
  statement: string,
  part: Part,
  step: LaterStep,
): Promise<Outcome> {
  const [outcome] = (await tx.query(statement, placeOf(part, step))) as [Outcome];
  return outcome;
}

/** $1 to $3 of `standing`. */
export function placeOf({ publicationId, chunk }: Part, step: LaterStep): [string, number, number] {
  return [publicationId, chunk, PUBLICATION_STEPS.indexOf(step)];
}
