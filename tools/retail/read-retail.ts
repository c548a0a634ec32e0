import { open } from 'node:fs/promises';
import { pipeline, type Readable, Transform } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { parse } from 'csv-parse';

/** One line of the file. */
export interface RetailLine {
  readonly line: number;
  readonly invoice: string;
  readonly code: string;
  readonly description: string;
  readonly quantity: number;
  readonly unitPrice: number;
  readonly at: Date;
  readonly customer: string;
}

export interface BadLine {
  readonly line: number;
  readonly problem: string;
}

/** The names that the columns have in "Online Retail" and in "Online Retail II". */
const COLUMNS = {
  invoice: ['InvoiceNo', 'Invoice'],
  code: ['StockCode'],
  description: ['Description'],
  quantity: ['Quantity'],
  at: ['InvoiceDate'],
  unitPrice: ['UnitPrice', 'Price'],
  customer: ['CustomerID', 'Customer ID'],
} as const;

type Column = keyof typeof COLUMNS;

/**
 * Reads the UCI file as a stream, plain or gzipped, UTF-8 or Windows-1252, in memory that does not grow with it.
 * @param onBytes called with the number of bytes each time some of the file has been read
 * @throws when the file cannot be read or lacks a column
 */
export async function* readRetail(
  path: string,
  onBytes: (bytes: number) => void = () => {},
): AsyncGenerator<RetailLine | BadLine> {
  const file = await open(path);
  const magic = Buffer.alloc(2);
  await file.read(magic, 0, 2, 0);
  const bytes = file.createReadStream({ start: 0 });
  bytes.on('data', chunk => onBytes(chunk.length));
  const isGzip = magic[0] === 0x1f && magic[1] === 0x8b;
  const parser = parse({
    bom: true,
    columns: toNames,
    info: true,
    skip_empty_lines: true,
    relax_column_count: true,
    relax_quotes: true,
  });
  const stages: (Readable | NodeJS.ReadWriteStream)[] = [
    bytes,
    ...(isGzip ? [createGunzip()] : []),
    toUtf8(),
    parser,
  ];
  // A stage that fails ends the parser with its error, which the loop below throws.
  pipeline(
    stages as never,
    error => error && parser.destroy(new Error(`${path} cannot be read to the end: ${error.message}`)),
  );
  for await (const { record, info } of parser as AsyncIterable<{
    record: Partial<Record<Column, string>>;
    info: { lines: number };
  }>) {
    yield toLine(record, info.lines);
  }
}

function toNames(header: string[]): (Column | undefined)[] {
  const names = header.map(title =>
    (Object.keys(COLUMNS) as Column[]).find(column =>
      (COLUMNS[column] as readonly string[]).includes(title.trim()),
    ),
  );
  const missing = (Object.keys(COLUMNS) as Column[]).filter(column => !names.includes(column));
  if (missing.length > 0) {
    throw new Error(
      `the file has no column ${missing.map(column => COLUMNS[column].join(' or ')).join(', ')}; its first line is: ${header.join(',')}`,
    );
  }
  return names;
}

function toLine(record: Partial<Record<Column, string>>, line: number): RetailLine | BadLine {
  const quantity = Number(record.quantity);
  const unitPrice = Number(record.unitPrice);
  const at = readDate(record.at ?? '');
  const code = (record.code ?? '').trim();
  const invoice = (record.invoice ?? '').trim();
  if (record.customer === undefined) return { line, problem: 'the line is cut short' };
  if (!Number.isInteger(quantity) || record.quantity === '')
    return { line, problem: `quantity "${record.quantity}" is no whole number` };
  if (!Number.isFinite(unitPrice) || record.unitPrice === '')
    return { line, problem: `price "${record.unitPrice}" is not a number` };
  if (at === undefined) return { line, problem: `date "${record.at}" is no date` };
  if (code === '' || invoice === '') return { line, problem: 'the stock code or invoice number is missing' };
  const customer = record.customer.trim().replace(/\.0$/, '');
  return {
    line,
    invoice,
    code,
    description: (record.description ?? '').trim(),
    quantity,
    unitPrice,
    at,
    customer,
  };
}

/** `2010-12-01 08:26:00`, or `12/1/2010 8:26` as the workbook's own export has it; taken as UTC. */
function readDate(text: string): Date | undefined {
  const iso = /^(\d{4})-(\d{2})-(\d{2})[ T](\d{2}):(\d{2})(?::(\d{2}))?/.exec(text);
  const us = /^(\d{1,2})\/(\d{1,2})\/(\d{2,4}) (\d{1,2}):(\d{2})/.exec(text);
  const parts = iso
    ? [iso[1], iso[2], iso[3], iso[4], iso[5], iso[6] ?? '0']
    : us
      ? [us[3]!.length === 2 ? `20${us[3]}` : us[3], us[1], us[2], us[4], us[5], '0']
      : undefined;
  if (parts === undefined) return undefined;
  const [year, month, day, hour, minute, second] = parts.map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const date = new Date(Date.UTC(year, month - 1, day, hour, minute, second));
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day ? date : undefined;
}

/** Decodes UTF-8, and Windows-1252 from the first bytes on that are not valid UTF-8. */
function toUtf8(): Transform {
  let decoder = new TextDecoder('utf-8', { fatal: true });
  let fallback = false;
  const decode = (chunk: Buffer | undefined): string => {
    if (fallback) return chunk === undefined ? '' : decoder.decode(chunk, { stream: true });
    try {
      return chunk === undefined ? decoder.decode() : decoder.decode(chunk, { stream: true });
    } catch {
      [decoder, fallback] = [new TextDecoder('windows-1252'), true];
      return chunk === undefined ? '' : decoder.decode(chunk, { stream: true });
    }
  };
  return new Transform({
    transform: (chunk: Buffer, _encoding, done) => done(null, decode(chunk)),
    flush: done => done(null, decode(undefined)),
  });
}
