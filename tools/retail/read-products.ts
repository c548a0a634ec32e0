import { type Currency, toMinor } from '#contracts';
import type { z } from 'zod';
import type { Columns } from '#row-files';
import { type BadLine, readRows } from './columns.js';
import { rejection } from './goods.js';

/** What a line says of a product. */
export interface ProductLine {
  readonly line: number;
  readonly code: string;
  readonly title: string;
  readonly priceMinor: number;
}

/**
 * Reads products out of a file of sales. It asks for nothing but what a product has.
 * @throws FileRefused when the file is not a CSV with these columns
 */
export async function* readProducts(
  bytes: AsyncIterable<Buffer>,
  columns: Columns<'code' | 'title' | 'price'>,
  currency: z.output<typeof Currency>,
): AsyncGenerator<ProductLine | BadLine> {
  for await (const row of readRows(bytes, columns)) {
    const { line } = row;
    if ('problem' in row) {
      yield { line, problem: row.problem };
      continue;
    }
    const { code, title, price } = row.values;
    const priceMinor = toMinor(price, currency);
    const problem =
      priceMinor === undefined
        ? `the price "${price}" is not a number such as 2.55`
        : rejection({ code, priceMinor });
    yield problem === undefined ? { line, code, title, priceMinor: priceMinor! } : { line, problem };
  }
}
