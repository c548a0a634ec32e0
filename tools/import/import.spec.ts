import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ProductFold } from './fold-products.js';
import { rejection } from '../retail/goods.js';
import { type BadLine, readRetail, type RetailLine } from '../retail/read-retail.js';

const HEADER = 'InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country';

describe('the retail file', () => {
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sluice-import-'));
  });

  afterAll(async () => {
    await rm(folder, { recursive: true });
  });

  async function read(content: string | Buffer): Promise<(RetailLine | BadLine)[]> {
    const path = join(folder, 'file');
    await writeFile(path, content);
    const lines: (RetailLine | BadLine)[] = [];
    for await (const line of readRetail(path)) lines.push(line);
    return lines;
  }

  it('is read plain or gzipped, in UTF-8 or Windows-1252, with either set of column names and dates', async () => {
    const line = '536365,85123A,"CANDLE, £5 ",6,2010-12-01 08:26:00,2.55,17850.0,United Kingdom';
    const expected = {
      invoice: '536365',
      code: '85123A',
      description: 'CANDLE, £5',
      quantity: 6,
      unitPrice: 2.55,
      customer: '17850',
    };
    const text = `${HEADER}\n${line}\n`;
    const second =
      'Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID,Country\n' +
      line.replace('2010-12-01 08:26:00', '12/1/2010 8:26');
    for (const content of [text, gzipSync(text), Buffer.from(text, 'latin1'), `\uFEFF${text}`, second]) {
      expect(await read(content)).toMatchObject([{ ...expected, at: new Date('2010-12-01T08:26:00Z') }]);
    }
  });

  it('names the line and what is wrong with it, and reads on', async () => {
    const bad = [
      '1,A,x,six,2010-12-01 08:26:00,1,1,UK',
      '1,A,x,6,yesterday,1,1,UK',
      '1,A',
      '1,A,x,6,2010-12-01 08:26:00,1,1,UK',
    ];
    const lines = await read(`${HEADER}\n${bad.join('\n')}\n`);
    expect(lines.map(line => ('problem' in line ? [line.line, line.problem] : line.line))).toEqual([
      [2, 'quantity "six" is no whole number'],
      [3, 'date "yesterday" is no date'],
      [4, 'the line is cut short'],
      5,
    ]);
  });

  it('is refused when it has not the columns', async () => {
    await expect(read('a,b\n1,2\n')).rejects.toThrow('no column InvoiceNo or Invoice');
  });

  it('folds into one product a stock code: the most used description, the median price', () => {
    const fold = new ProductFold();
    const sale = (description: string, unitPrice: number) =>
      fold.add({
        line: 1,
        invoice: '1',
        code: 'A',
        description,
        quantity: 1,
        unitPrice,
        at: new Date(0),
        customer: '',
      });
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
    const of = (code: string, unitPrice: number) =>
      rejection({
        line: 1,
        invoice: '1',
        code,
        description: '',
        quantity: 1,
        unitPrice,
        at: new Date(0),
        customer: '',
      });
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
