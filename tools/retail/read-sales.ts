import { toMinor } from '#contracts';
import { type BadLine, readRows, SALES_COLUMNS } from './columns.js';
import { type DateOrder, DateOrderUnknown, orderOf, readDate } from './dates.js';
import { openFile } from './open-file.js';

/** One line of a file of sales. */
export interface SalesLine {
  readonly line: number;
  readonly invoice: string;
  readonly code: string;
  readonly quantity: number;
  readonly priceMinor: number;
  readonly at: Date;
  readonly customer: string;
}

/**
 * Reads a file of sales as a stream, plain or gzipped, in memory that does not grow with it.
 * @param order of days and months, where the file's dates leave it open
 * @throws FileRefused when the file is not a CSV with these columns, DateOrderUnknown
 */
export async function* readSales(path: string, order?: DateOrder): AsyncGenerator<SalesLine | BadLine> {
  // Days and months are told apart for the whole file, never a line at a time.
  const known = order ?? (await orderIn(path));
  for await (const row of readRows(openFile(path), SALES_COLUMNS))
    yield 'problem' in row ? row : toLine(row.line, row.values, known);
}

/** @throws DateOrderUnknown */
async function orderIn(path: string): Promise<DateOrder> {
  const dates: string[] = [];
  const seen = new Set<string>();
  for await (const row of readRows(openFile(path), { at: SALES_COLUMNS.at })) {
    if ('problem' in row) continue;
    // The day alone says it; there are few of them.
    const day = row.values.at.split(/[ ,T]/, 1)[0]!;
    if (!seen.has(day)) dates.push(day);
    seen.add(day);
  }
  const order = orderOf(dates);
  if (order === undefined) throw new DateOrderUnknown(path);
  return order;
}

function toLine(
  line: number,
  values: Record<keyof typeof SALES_COLUMNS, string>,
  order: DateOrder,
): SalesLine | BadLine {
  const { code, invoice, customer } = values;
  const priceMinor = toMinor(values.price, 'GBP');
  const at = readDate(values.at, order);
  if (!/^-?\d{1,9}$/.test(values.quantity))
    return { line, problem: `the quantity "${values.quantity}" is not a whole number` };
  if (priceMinor === undefined)
    return { line, problem: `the price "${values.price}" is not a number such as 2.55` };
  if (at === undefined) return { line, problem: `"${values.at}" is not a date` };
  if (code === '' || invoice === '')
    return { line, problem: 'the stock code or the invoice number is missing' };
  return {
    line,
    invoice,
    code,
    quantity: Number(values.quantity),
    priceMinor,
    at,
    customer: customer.replace(/\.0$/, ''),
  };
}
