import { rejection } from '../retail/goods.js';
import { type BadLine, readRetail, type RetailLine } from '../retail/read-retail.js';

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

/** The file's invoices in the file's order, one in memory at a time. An invoice's lines are adjacent. */
export async function* readInvoices(path: string): AsyncGenerator<Invoice> {
  let lines: RetailLine[] = [];
  let bad = 0;
  for await (const line of readRetail(path)) {
    if (isBad(line)) {
      bad += 1;
      continue;
    }
    if (lines.length > 0 && lines[0]!.invoice !== line.invoice) {
      yield toInvoice(lines, bad);
      [lines, bad] = [[], 0];
    }
    lines.push(line);
  }
  if (lines.length > 0) yield toInvoice(lines, bad);
}

function toInvoice(lines: readonly RetailLine[], bad: number): Invoice {
  const { invoice, customer, at } = lines[0]!;
  const isCancellation = invoice.toUpperCase().startsWith('C');
  const sign = isCancellation ? -1 : 1;
  const items = new Map<string, number>();
  let leftOut = bad;
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

function isBad(line: RetailLine | BadLine): line is BadLine {
  return 'problem' in line;
}
