import { FileRefused } from './file-refused.js';
import type { Line } from './lines.js';

/** The columns that are wanted, each with the titles that it may have. */
export type Columns<Column extends string> = Readonly<Record<Column, readonly string[]>>;

/** One line of a file: its values by column, or why it has none. */
export type Row<Values> = { readonly line: number } & (
  { readonly values: Values } | { readonly problem: string }
);

// A cell in quotes, in which "" is one quote, or a cell without any.
const CELL = /[ \t]*"([^"]*(?:""[^"]*)*)"[ \t]*(?=,|$)|([^",]*)(?=,|$)/y;

/**
 * The cells of one line of CSV, as RFC 4180 has it, but a cell never goes on into the next line: a stray quote
 * spoils its own line only. Undefined when a quote is not where the format allows it.
 */
export function cellsOf(line: string): string[] | undefined {
  const cells: string[] = [];
  for (let at = 0; ; at = CELL.lastIndex + 1) {
    CELL.lastIndex = at;
    const match = CELL.exec(line);
    if (match === null) return undefined;
    cells.push((match[1]?.replaceAll('""', '"') ?? match[2]!).trim());
    if (CELL.lastIndex === line.length) return cells;
  }
}

/**
 * The rows of a CSV with a header. Columns that are not wanted are left out.
 * @param optional columns that may be missing; the rows then have no value of theirs
 * @throws FileRefused when a wanted column is missing or is there twice, or no line follows the header
 */
export async function* readCsv<Column extends string, Optional extends string = never>(
  lines: AsyncIterable<Line>,
  columns: Columns<Column>,
  optional: Columns<Optional> = {} as Columns<Optional>,
): AsyncGenerator<Row<Values<Column, Optional>>> {
  let header: Header<Values<Column, Optional>> | undefined;
  let isEmpty = true;
  for await (const each of lines) {
    if (header === undefined) {
      header = readHeader(each, columns, optional);
      continue;
    }
    isEmpty = false;
    yield 'problem' in each ? each : { line: each.line, ...header.read(each.text) };
  }
  if (header === undefined) throw new FileRefused(`the file is empty; ${wanted(columns)}`);
  if (isEmpty) throw new FileRefused('the file has a header and nothing else');
}

type Values<Column extends string, Optional extends string> = Record<Column, string> &
  Partial<Record<Optional, string>>;

interface Header<Read> {
  read(text: string): { values: Read } | { problem: string };
}

function readHeader<Column extends string, Optional extends string>(
  first: Line,
  columns: Columns<Column>,
  optional: Columns<Optional>,
): Header<Values<Column, Optional>> {
  if ('problem' in first) throw new FileRefused(`the header cannot be read: ${first.problem}`);
  const titles = cellsOf(first.text) ?? [first.text];
  const places = placesOf(titles, columns, optional);
  const count = titles.length;
  return {
    read(text) {
      const cells = cellsOf(text);
      if (cells === undefined) return { problem: BAD_QUOTE };
      if (cells.length !== count)
        return { problem: `the line has ${cells.length} cells and the header ${count}; ${QUOTE_IT}` };
      const values = places.map(([column, at]) => [column, cells[at]!]);
      return { values: Object.fromEntries(values) as Values<Column, Optional> };
    },
  };
}

const QUOTE_IT = 'put a cell that has a comma or a quote in it in quotes, and write its quotes twice';
const BAD_QUOTE = `a quote is missing or out of place; ${QUOTE_IT}`;

function placesOf(
  titles: readonly string[],
  columns: Columns<string>,
  optional: Columns<string>,
): [string, number][] {
  const problems: string[] = [];
  const places = Object.entries<readonly string[]>({ ...columns, ...optional }).flatMap(
    ([column, names]): [string, number][] => {
      const found = titles.flatMap((title, at) => (names.includes(title) ? [at] : []));
      if (found.length === 0 && column in columns) problems.push(`no column ${names.join(' or ')}`);
      if (found.length > 1) problems.push(`more than one column ${names.join(' or ')}`);
      return found.length === 0 ? [] : [[column, found[0]!]];
    },
  );
  if (problems.length === 0) return places;
  const found = titles.join(', ').slice(0, 500);
  throw new FileRefused(`the file has ${problems.join(', ')}; found: ${found}; ${wanted(columns)}`);
}

function wanted(columns: Columns<string>): string {
  const titles = Object.values(columns).map(each => each.join(' or '));
  return `wanted: ${titles.join(', ')}, separated by commas`;
}
