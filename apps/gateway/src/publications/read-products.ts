import {
  type OPTIONAL_COLUMNS,
  type PUBLICATION_COLUMNS,
  type PublicationRow,
  PublicationValues,
} from '#contracts';
import { describeIssues } from '#messaging';
import { type Columns, readCsv, readLines, readNdjson, type Row } from '#row-files';
import type { Format } from './format.js';

/** The titles of the columns: each is called what it holds. */
const TITLES = {
  code: ['code'],
  title: ['title'],
  priceMinor: ['priceMinor'],
  currency: ['currency'],
  stock: ['stock'],
} as const satisfies Columns<(typeof PUBLICATION_COLUMNS)[number]>;
const OPTIONAL_TITLES = {
  pictures: ['pictures'],
  description: ['description'],
  promoPriceMinor: ['promoPriceMinor'],
} as const satisfies Columns<(typeof OPTIONAL_COLUMNS)[number]>;

/**
 * The lines of a list of products, as they stream in. A line that cannot be read comes with its problem.
 * @throws FileRefused when the body as a whole is not such a list
 */
export async function* readProducts(
  { kind, charset }: Format,
  body: AsyncIterable<Buffer>,
): AsyncGenerator<PublicationRow> {
  const lines = readLines(body, { charset });
  const rows = kind === 'csv' ? readCsv(lines, TITLES, OPTIONAL_TITLES) : readNdjson(lines);
  for await (const row of rows) yield toRow(row);
}

function toRow(row: Row<Record<string, unknown>>): PublicationRow {
  const { line } = row;
  if ('problem' in row) return { line, values: {}, problem: row.problem };
  const parsed = PublicationValues.safeParse(row.values);
  if (parsed.success) return { line, values: parsed.data };
  return {
    line,
    values: {},
    problem: describeIssues(parsed.error.issues).slice(0, 500).toWellFormed(),
  };
}
