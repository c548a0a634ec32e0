import { isUtf8 } from 'node:buffer';
import { FileRefused } from './file-refused.js';

/** The longest line, in bytes. */
export const LONGEST_LINE = 65_536;

/** One line of a file, by its number: its text, or why it cannot be read. */
export type Line = { readonly line: number } & ({ readonly text: string } | { readonly problem: string });

export interface LineOptions {
  /** The encoding of a file without a byte-order mark. */
  readonly charset?: 'utf-8' | 'windows-1252' | 'utf-16le' | 'utf-16be';
  /** What a line that is not valid UTF-8 is read as. If left out, it has a problem. */
  readonly otherwise?: 'windows-1252';
}

/** What a file is that starts with these bytes, and how to get rows out of it. */
const BINARY: readonly [string, string][] = [
  ['504b0304', 'a zip file or a workbook; open it, save the sheet as CSV UTF-8, and send that'],
  ['d0cf11e0', 'an Excel workbook; open it, save the sheet as CSV UTF-8, and send that'],
  ['1f8b', 'compressed; send it decompressed'],
];

/**
 * The lines of a file, as it streams in. A line ends at LF or CRLF, and nowhere else. A line with nothing but
 * white space is left out.
 * @throws FileRefused when the file is not text
 */
export async function* readLines(
  bytes: AsyncIterable<Buffer>,
  { charset = 'utf-8', otherwise }: LineOptions = {},
): AsyncGenerator<Line> {
  const fallback = otherwise && new TextDecoder(otherwise);
  let line = 0;
  for await (const raw of splitAtLineFeeds(toUtf8(bytes, charset))) {
    line += 1;
    const text = raw && (isUtf8(raw) ? raw.toString() : fallback?.decode(raw));
    if (raw === undefined) yield { line, problem: `the line is longer than ${LONGEST_LINE} bytes` };
    else if (text === undefined)
      yield { line, problem: 'the line is not valid UTF-8; save the file as UTF-8' };
    else if (text.includes('\0')) yield { line, problem: 'the line has a NUL character in it' };
    else if (text.trim() !== '') yield { line, text: text.endsWith('\r') ? text.slice(0, -1) : text };
  }
}

/** The bytes as UTF-8, without a byte-order mark. A mark says more than `charset`. @throws FileRefused */
async function* toUtf8(bytes: AsyncIterable<Buffer>, charset: string): AsyncGenerator<Buffer> {
  let decode: ((chunk?: Buffer) => Buffer) | undefined;
  let head: Buffer | undefined = Buffer.alloc(0);
  const start = (known: Buffer): Buffer => {
    refuseBinary(known);
    const mark = markOf(known);
    const rest = known.subarray(mark.length);
    const known16 = (mark.charset ?? charset).startsWith('utf-16');
    if (!known16 && known.includes(0)) throw new FileRefused(NOT_TEXT);
    decode = decoderOf(mark.charset ?? charset);
    return decode(rest);
  };
  for await (const chunk of bytes) {
    if (head === undefined) {
      yield decode!(chunk);
      continue;
    }
    head = Buffer.concat([head, chunk]);
    if (head.length < LONGEST_MAGIC) continue;
    yield start(head);
    head = undefined;
  }
  if (head !== undefined && head.length > 0) yield start(head);
  if (decode !== undefined) yield decode();
}

const LONGEST_MAGIC = 4;
const NOT_TEXT = 'the file is not text, or UTF-16 without a byte-order mark; save it as CSV UTF-8';

function markOf(head: Buffer): { length: number; charset?: string } {
  const hex = head.toString('hex', 0, 3);
  if (hex === 'efbbbf') return { length: 3, charset: 'utf-8' };
  if (hex.startsWith('fffe')) return { length: 2, charset: 'utf-16le' };
  if (hex.startsWith('feff')) return { length: 2, charset: 'utf-16be' };
  return { length: 0 };
}

function decoderOf(charset: string): (chunk?: Buffer) => Buffer {
  if (charset === 'utf-8') return chunk => chunk ?? Buffer.alloc(0);
  const decoder = new TextDecoder(charset, { fatal: true });
  return chunk => {
    try {
      return Buffer.from(decoder.decode(chunk, { stream: chunk !== undefined }));
    } catch {
      throw new FileRefused(`the file is not valid ${charset}`);
    }
  };
}

function refuseBinary(head: Buffer): void {
  const found = BINARY.find(([magic]) => head.toString('hex', 0, 4).startsWith(magic));
  if (found !== undefined) throw new FileRefused(`the file is ${found[1]}`);
}

/** What stands between line feeds; undefined for a line that is too long, whose bytes are not kept. */
async function* splitAtLineFeeds(bytes: AsyncIterable<Buffer>): AsyncGenerator<Buffer | undefined> {
  let kept: Buffer[] = [];
  let length = 0;
  const keep = (part: Buffer): void => {
    length += part.length;
    if (length <= LONGEST_LINE) kept.push(part);
    else kept = [];
  };
  const take = (): Buffer | undefined => {
    const line = length > LONGEST_LINE ? undefined : kept.length === 1 ? kept[0] : Buffer.concat(kept);
    [kept, length] = [[], 0];
    return line;
  };
  for await (const chunk of bytes) {
    let from = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, from)) {
      keep(chunk.subarray(from, end));
      yield take();
      from = end + 1;
    }
    if (from < chunk.length) keep(chunk.subarray(from));
  }
  if (length > 0) yield take();
}
