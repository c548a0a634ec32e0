import type { DataSource } from 'typeorm';
import type { IdSet } from '#contracts';

/**
 * Summarizes the ids that a query selects (one column, `id`), so that two services can compare their sets
 * without sending them. Two different sets of the same size look equal with a probability of 2^-64.
 */
export async function idSet(database: DataSource, query: string): Promise<IdSet> {
  const [row] = (await database.query(
    `SELECT count(*)::int AS count, count(DISTINCT id)::int AS distinct,
            coalesce(sum(hashtextextended(id::text, 0)), 0)::text AS checksum FROM (${query}) AS ids`,
  )) as [IdSet];
  return row;
}
