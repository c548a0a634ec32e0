import { type Readable, Transform, type TransformCallback } from 'node:stream';
import { createInterface } from 'node:readline';
import { parse } from 'csv-parse';
import type { PublicationRow } from '#contracts';
import { DomainError } from '#messaging';

/** The longest line of NDJSON, in characters. */
const MAX_LINE = 65_536;

/** Rows of a CSV with a header line, as they stream in. A line that cannot be read comes with its `problem`. */
export async function* csvRows(body: Readable): AsyncGenerator<PublicationRow> {
  const parser = parse({
    columns: true,
    bom: true,
    info: true,
    skip_empty_lines: true,
    relax_column_count: true,
    max_record_size: MAX_LINE,
    trim: true,
  });
  body.on('error', error => parser.destroy(error));
  for await (const { record, info } of body.pipe(parser) as AsyncIterable<{
    record: Record<string, string>;
    info: { lines: number };
  }>) {
    yield { line: info.lines, values: record };
  }
}

/** Rows of NDJSON, one object per line. */
export async function* ndjsonRows(body: Readable): AsyncGenerator<PublicationRow> {
  let line = 0;
  for await (const text of createInterface({ input: body.pipe(new LineLimit()), crlfDelay: Infinity })) {
    line += 1;
    if (text.trim() !== '') yield { line, values: readObject(text) };
  }
}

/** Ends an upload with an endless line before it fills the memory. */
class LineLimit extends Transform {
  private length = 0;

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    const last = chunk.lastIndexOf(10);
    this.length = last === -1 ? this.length + chunk.length : chunk.length - last - 1;
    if (this.length > 4 * MAX_LINE) done(new LineTooLong());
    else done(null, chunk);
  }
}

export class LineTooLong extends DomainError {
  readonly code = 'invalid_input';
  constructor() {
    super(`a line of the upload is longer than ${MAX_LINE} characters; write one product per line`);
  }
}

function readObject(text: string): Record<string, unknown> {
  if (text.length > MAX_LINE) return { problem: `the line is longer than ${MAX_LINE} characters` };
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return value as Record<string, unknown>;
    return { problem: 'the line is not a JSON object' };
  } catch (error) {
    return { problem: `the line is invalid JSON: ${error instanceof Error ? error.message : String(error)}` };
  }
}
