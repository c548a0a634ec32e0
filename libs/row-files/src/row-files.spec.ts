import { describe, expect, it } from '@jest/globals';
import { readCsv } from './csv.js';
import { FileRefused } from './file-refused.js';
import { readLines } from './lines.js';
import { readNdjson } from './ndjson.js';

const COLUMNS = { code: ['code'], title: ['title', 'Title'], stock: ['stock'] } as const;
const HEADER = 'code,title,stock\n';

async function* inPieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** The rows of a file, whatever pieces it comes in: `line: values` or `line! problem`. */
async function rowsOf(content: string | Buffer, options: Parameters<typeof readLines>[1] = {}) {
  const bytes = Buffer.from(content as string);
  const read = async (size: number) => {
    const rows: string[] = [];
    for await (const row of readCsv(readLines(inPieces(bytes, size), options), COLUMNS))
      rows.push(
        'values' in row
          ? `${row.line}: ${Object.values(row.values).join('|')}`
          : `${row.line}! ${row.problem}`,
      );
    return rows;
  };
  const whole = await read(bytes.length || 1);
  expect(await read(1)).toEqual(whole);
  return whole;
}

const refusal = async (content: string | Buffer) => {
  const error: unknown = await rowsOf(content).catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(FileRefused);
  return (error as Error).message;
};

describe('a CSV', () => {
  it('has lines that end at LF or CRLF, and nowhere else', async () => {
    const text = `${HEADER}A,x\u2028y,1\n\n   \nB,é,2`;
    const expected = ['2: A|x\u2028y|1', '5: B|é|2'];
    expect(await rowsOf(text)).toEqual(expected);
    expect(await rowsOf(text.replaceAll('\n', '\r\n'))).toEqual(expected);
    expect(await refusal(text.replaceAll('\n', '\r'))).toContain('no column stock');
  });

  it('spoils one line by a stray quote, and no other', async () => {
    const rows = await rowsOf(`${HEADER}A,5" nail,1\nB,"x,1\nC,y,1\nD,"a ""q"", b",1\nE,"x"y,1\n`);
    expect(rows.map(row => row.slice(0, 2))).toEqual(['2!', '3!', '4:', '5:', '6!']);
    expect(rows[3]).toBe('5: D|a "q", b|1');
    expect(rows[0]).toContain('a quote is missing or out of place');
  });

  it('rejects a line whose cells are more or fewer than the columns', async () => {
    const rows = await rowsOf(`${HEADER}A,x,1,000\nB,x\nC,x,1,\nD,x,"1,000"\n`);
    expect(rows.map(row => row.slice(0, 2))).toEqual(['2!', '3!', '4!', '5:']);
    expect(rows[0]).toContain('the line has 4 cells and the header 3');
  });

  it('is read in the encoding that its mark tells, or that it is said to have', async () => {
    const text = `${HEADER}A,£5 €,1\n`;
    const utf16 = Buffer.from(`\uFEFF${text}`, 'utf16le');
    for (const bytes of [Buffer.from(text), Buffer.from(`\uFEFF${text}`), utf16, Buffer.from(utf16).swap16()])
      expect(await rowsOf(bytes)).toEqual(['2: A|£5 €|1']);
    const latin = Buffer.from(`${HEADER}A,£,1\nB,x,1\n`, 'latin1');
    expect((await rowsOf(latin))[0]).toContain('not valid UTF-8');
    expect(await rowsOf(latin, { charset: 'windows-1252' })).toEqual(['2: A|£|1', '3: B|x|1']);
    expect(await rowsOf(latin, { otherwise: 'windows-1252' })).toEqual(['2: A|£|1', '3: B|x|1']);
  });

  it('leaves out the columns that are not wanted, whatever they are called', async () => {
    expect(await rowsOf('problem,stock,code,line,Title\nno,1,A,7,x\n')).toEqual(['2: A|x|1']);
  });

  it('rejects a line that is too long, and does not keep it', async () => {
    const rows = await rowsOf(`${HEADER}A,${'x'.repeat(70_000)},1\nB,x,1\n`);
    expect(rows).toEqual([expect.stringContaining('2! the line is longer than 65536 bytes'), '3: B|x|1']);
  });

  it.each<[string, string | Buffer, string]>([
    [
      'without a column',
      'code,title\nA,x\n',
      'no column stock; found: code, title; wanted: code, title or Title, stock',
    ],
    ['with a column twice', 'code,title,stock,Title\nA,x,1,y\n', 'more than one column title or Title'],
    ['with semicolons', 'code;title;stock\nA;x;1\n', 'separated by commas'],
    ['without a line', '', 'the file is empty'],
    ['with blank lines alone', '\n \n', 'the file is empty'],
    ['with a header alone', HEADER, 'a header and nothing else'],
    ['that is a zip or a workbook', Buffer.from('504b030414000000', 'hex'), 'save the sheet as CSV'],
    ['that is an old workbook', Buffer.from('d0cf11e0a1b11ae1', 'hex'), 'an Excel workbook'],
    ['that is compressed', Buffer.from('1f8b0800', 'hex'), 'compressed'],
    [
      'in UTF-16 without a mark',
      Buffer.from(`${HEADER}A,x,1\n`, 'utf16le'),
      'UTF-16 without a byte-order mark',
    ],
  ])('is refused as a whole %s', async (_, content, problem) => {
    expect(await refusal(content)).toContain(problem);
  });
});

describe('NDJSON', () => {
  const read = async (text: string) => {
    const rows: unknown[] = [];
    for await (const row of readNdjson(readLines(inPieces(Buffer.from(text), 3)))) rows.push(row);
    return rows;
  };

  it('has one object a line; any other line has a problem', async () => {
    expect(await read('{"a":"x\u2028y"}\r\n[1]\n{bad\n\n7')).toEqual([
      { line: 1, values: { a: 'x\u2028y' } },
      { line: 2, problem: 'the line is not a JSON object' },
      { line: 3, problem: 'the line is not valid JSON' },
      { line: 5, problem: 'the line is not a JSON object' },
    ]);
    await expect(read('\n')).rejects.toBeInstanceOf(FileRefused);
  });
});
