import { cellsOf, type Columns, readLines } from '#row-files';
import { openFile } from '../retail/open-file.js';

/** Columns, each with the title that it has in the file. */
export type Mappings = readonly (readonly [string, string])[];

/** The columns with the titles that the command names instead of the usual ones. @throws Error for an unknown column */
export function mapped<Column extends string>(columns: Columns<Column>, map: Mappings): Columns<Column> {
  const titles: Record<string, readonly string[]> = { ...columns };
  for (const [column, title] of map) {
    if (!(column in columns))
      throw new Error(`--map ${column}=${title}: the columns are ${Object.keys(columns).join(', ')}`);
    titles[column] = [title];
  }
  return titles as Columns<Column>;
}

/** Whether a file's header says that it is a list of products already: its prices are in minor units. */
export async function isCatalog(path: string, map: Mappings): Promise<boolean> {
  for await (const first of readLines(openFile(path), { otherwise: 'windows-1252' }))
    return 'text' in first && titlesOf(first.text, map).includes('priceMinor');
  return false;
}

/** The file with the titles of a publication, in UTF-8. Its lines keep their numbers. */
export async function* asPublication(bytes: AsyncIterable<Buffer>, map: Mappings): AsyncGenerator<string> {
  let next = 1;
  let isHeader = true;
  for await (const each of readLines(bytes, { otherwise: 'windows-1252' })) {
    for (; next < each.line; next += 1) yield '\n';
    // A line that cannot be read is rejected by its number: it is no line of these columns.
    const text = 'text' in each ? each.text : `"${each.problem}"`;
    yield `${isHeader ? titlesOf(text, map).map(quote).join(',') : text}\n`;
    isHeader = false;
    next += 1;
  }
}

function titlesOf(header: string, map: Mappings): string[] {
  const names = new Map(map.map(([column, title]) => [title, column]));
  return (cellsOf(header) ?? [header]).map(title => names.get(title) ?? title);
}

function quote(title: string): string {
  return /[",]/.test(title) ? `"${title.replaceAll('"', '""')}"` : title;
}
