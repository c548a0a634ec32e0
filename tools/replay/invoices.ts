import { rejection } from '../retail/goods.js';
import type { BadLine } from '../retail/columns.js';
import type { DateOrder } from '../retail/dates.js';
import { readSales, type SalesLine } from '../retail/read-sales.js';

export interface Invoice {
  readonly number: string;
  /** Whether it takes goods back: its number begins with C. */
  readonly isCancellation: boolean;
  readonly customer: string;
  readonly at: Date;
  /** Quantities by stock code, all positive. */
  readonly items: ReadonlyMap<string, number>;
  /** How many lines are not a sale, or not a return, of goods at a price. */
  readonly leftOut: number;
}

/**
 * The file's invoices in the file's order, one in memory at a time. An invoice's lines are adjacent.
 * @param onBad called with each line that cannot be read
 */
export async function* readInvoices(
  path: string,
  order?: DateOrder,
  onBad: (line: BadLine) => void = () => {},
): AsyncGenerator<Invoice> {
  let lines: SalesLine[] = [];
  for await (const line of readSales(path, order)) {
    if ('problem' in line) {
      onBad(line);
      continue;
    }
    if (lines.length > 0 && lines[0]!.invoice !== line.invoice) {
      yield toInvoice(lines);
      lines = [];
    }
    lines.push(line);
  }
  if (lines.length > 0) yield toInvoice(lines);
}

function toInvoice(lines: readonly SalesLine[]): Invoice {
  const { invoice, customer, at } = lines[0]!;
  const isCancellation = invoice.toUpperCase().startsWith('C');
  const sign = isCancellation ? -1 : 1;
  const items = new Map<string, number>();
  let leftOut = 0;
  for (const line of lines) {
    const quantity = line.quantity * sign;
    if (quantity <= 0 || rejection(line) !== undefined) {
      leftOut += 1;
      continue;
    }
    items.set(line.code, (items.get(line.code) ?? 0) + quantity);
  }
  return { number: invoice, isCancellation, customer, at, items, leftOut };
}
