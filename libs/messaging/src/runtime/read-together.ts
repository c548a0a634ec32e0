import type { DataSource } from 'typeorm';

/** The rows of each query, by its name. */
export type Read<Rows> = { readonly [Name in keyof Rows]: readonly Rows[Name][] };

/**
 * Reads the rows of several queries in one statement, so in one snapshot. They come as JSON: numbers as numbers, times as
 * texts.
 */
export async function readTogether<Rows extends Record<string, object>>(
  database: DataSource,
  queries: { readonly [Name in keyof Rows]: string },
): Promise<Read<Rows>> {
  const columns = Object.entries<string>(queries).map(
    ([name, sql]) => `(SELECT coalesce(json_agg(rows), '[]') FROM (${sql}) AS rows) AS "${name}"`,
  );
  const [read] = (await database.query(`SELECT ${columns.join(', ')}`)) as [Read<Rows>];
  return read;
}
