import { type Columns, readCsv, readLines, type Row } from '#row-files';

const CODE = ['code', 'StockCode'];
const PRICE = ['price', 'UnitPrice', 'Price'];

/** What a product has, with the titles that such a column usually has. */
export const PRODUCT_COLUMNS = { code: CODE, title: ['title', 'Description'], price: PRICE };

/** What a sale has. */
export const SALES_COLUMNS = {
  code: CODE,
  price: PRICE,
  invoice: ['InvoiceNo', 'Invoice'],
  quantity: ['Quantity'],
  at: ['InvoiceDate'],
  customer: ['CustomerID', 'Customer ID'],
};

/** A CSV whose lines are UTF-8, or else Windows-1252. */
export function readRows<Column extends string>(
  bytes: AsyncIterable<Buffer>,
  columns: Columns<Column>,
): AsyncGenerator<Row<Record<Column, string>>> {
  return readCsv(readLines(bytes, { otherwise: 'windows-1252' }), columns);
}

/** A line that cannot be taken, and why. */
export interface BadLine {
  readonly line: number;
  readonly problem: string;
}
