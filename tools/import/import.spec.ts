import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ProductFold } from './fold-products.js';
import { rejection } from '../retail/goods.js';
import { type BadLine, PRODUCT_COLUMNS } from '../retail/columns.js';
import { openFile } from '../retail/open-file.js';
import { type ProductLine, readProducts } from '../retail/read-products.js';
import { asPublication, isCatalog, mapped } from './catalog-file.js';

const HEADER = 'InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country';

describe('the retail file', () => {
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sluice-import-'));
  });

  afterAll(async () => {
    await rm(folder, { recursive: true });
  });

  async function fileWith(content: string | Buffer): Promise<string> {
    const path = join(folder, 'file');
    await writeFile(path, content);
    return path;
  }

  async function read(
    content: string | Buffer,
    columns: Parameters<typeof readProducts>[1] = PRODUCT_COLUMNS,
  ) {
    const lines: (ProductLine | BadLine)[] = [];
    for await (const line of readProducts(openFile(await fileWith(content)), columns, 'GBP'))
      lines.push(line);
    return lines;
  }

  it('is read plain or gzipped, in UTF-8 or Windows-1252, with any usual column names, whatever its dates', async () => {
    const line = '536365,85123A,"CANDLE, £5 ",6,2010-12-01 08:26:00,2.55,17850.0,United Kingdom';
    const text = `${HEADER}\n${line}\n`;
    const second =
      'Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID,Country\n' +
      line.replace('2010-12-01 08:26:00', 'some day');
    for (const content of [text, gzipSync(text), Buffer.from(text, 'latin1'), `\uFEFF${text}`, second])
      expect(await read(content)).toEqual([
        { line: 2, code: '85123A', title: 'CANDLE, £5', priceMinor: 255 },
      ]);
  });

  it('names the line and what is wrong with it, and reads on', async () => {
    const bad = [
      '1,A,x,6,d,1.x,1,UK',
      '1,A,"x,6,d,1,1,UK',
      '1,A',
      '1,A,x,6,d,1,000,1,UK',
      '1,A,x,6,d,1,1,UK',
    ];
    const lines = await read(`${HEADER}\n${bad.join('\n')}\n`);
    expect(lines.map(line => ('problem' in line ? [line.line, line.problem] : line.line))).toEqual([
      [2, 'the price "1.x" is not a number such as 2.55'],
      [3, expect.stringContaining('a quote is missing or out of place')],
      [4, expect.stringContaining('the line has 2 cells and the header 8')],
      [5, expect.stringContaining('the line has 9 cells and the header 8')],
      6,
    ]);
  });

  it('is refused when it has not the columns, unless they are mapped', async () => {
    const file = 'Artikel,Name,Preis\n7,Lampe,2.55\n';
    await expect(read(file)).rejects.toThrow('no column code or StockCode');
    const map = [
      ['code', 'Artikel'],
      ['title', 'Name'],
      ['price', 'Preis'],
    ] as const;
    expect(await read(file, mapped(PRODUCT_COLUMNS, map))).toEqual([
      { line: 2, code: '7', title: 'Lampe', priceMinor: 255 },
    ]);
    expect(() => mapped(PRODUCT_COLUMNS, [['colour', 'Farbe']])).toThrow(
      'the columns are code, title, price',
    );
  });

  it('is refused in plain words when it is a zip, a workbook, or not there', async () => {
    await expect(read(Buffer.from('504b030414000000', 'hex'))).rejects.toThrow('save the sheet as CSV');
    await expect(read(Buffer.from('d0cf11e0a1b11ae1', 'hex'))).rejects.toThrow('an Excel workbook');
    await expect(read(gzipSync('x'.repeat(1_000)).subarray(0, 20))).rejects.toThrow(
      'cannot be read to the end',
    );
    await expect(openFile(join(folder, 'none')).next()).rejects.toThrow('cannot be read (ENOENT)');
    await expect(openFile(folder).next()).rejects.toThrow('is not a file');
  });

  it('goes to the shop as it is when it is a list of products, with its titles mapped and its lines in their places', async () => {
    const path = await fileWith(
      Buffer.from('code,Name,priceMinor,currency,stock\r\nA,£,1,GBP,1\n\nB,x"y,1,GBP,1\n', 'latin1'),
    );
    const map = [['title', 'Name']] as const;
    expect(await isCatalog(path, map)).toBe(true);
    expect(await isCatalog(await fileWith(`${HEADER}\n`), [])).toBe(false);
    await fileWith(
      Buffer.from('code,Name,priceMinor,currency,stock\r\nA,£,1,GBP,1\n\nB,x"y,1,GBP,1\n', 'latin1'),
    );
    const sent: string[] = [];
    for await (const part of asPublication(openFile(path), map)) sent.push(part);
    expect(sent.join('')).toBe('code,title,priceMinor,currency,stock\nA,£,1,GBP,1\n\nB,x"y,1,GBP,1\n');
  });

  it('folds into one product a stock code: the most used description, the median price', () => {
    const fold = new ProductFold();
    const sale = (title: string, price: number) => fold.add({ code: 'A', title, priceMinor: price * 100 });
    for (const [description, price] of [
      ['LAMP', 3],
      ['lamp?', 1],
      ['LAMP', 2],
      ['', 100],
    ] as const)
      sale(description, price);
    expect([...fold.products()]).toEqual([{ code: 'A', title: 'LAMP', priceMinor: 200 }]);
  });

  it('tells goods from postage, fees and what has no price', () => {
    const of = (code: string, price: number) => rejection({ code, priceMinor: price * 100 });
    expect([of('85123A', 1), of('DCGSSGIRL', 1), of('gift_0001_20', 20)]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect(of('POST', 18)).toContain('postage');
    expect(of('AMAZONFEE', 1)).toContain('fee');
    expect(of('m', 1)).toContain('manual');
    expect(of('85123A', 0)).toBe('no positive price');
  });
});
