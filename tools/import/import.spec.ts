import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Buyer } from '../client/buyer.js';
import { Purchases } from '../replay/purchases.js';
import { type Invoice, readInvoices } from '../replay/invoices.js';
import { ProductFold } from './fold-products.js';
import { rejection } from './goods.js';
import { type BadLine, readRetail, type RetailLine } from './read-retail.js';

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

  it('becomes invoices, and a cancellation finds what it takes back, in the latest orders first', async () => {
    const at = '2010-12-01 08:26:00';
    const lines = [
      `1,11111,a,2,${at},1,7,UK`,
      `1,22222,b,1,${at},1,7,UK`,
      `1,POST,p,1,${at},5,7,UK`,
      `C2,11111,a,-2,${at},1,7,UK`,
      `C3,11111,a,-2,${at},1,7,UK`,
      `C3,22222,b,-1,${at},1,7,UK`,
      `4,11111,a,1,${at},1,7,UK`,
      `C5,11111,a,-2,${at},1,7,UK`,
    ];
    await read(`${HEADER}\n${lines.join('\n')}\n`);
    const invoices: Invoice[] = [];
    for await (const invoice of readInvoices(join(folder, 'file'))) invoices.push(invoice);
    expect(
      invoices.map(({ number, isCancellation, leftOut, items }) => [
        number,
        isCancellation,
        leftOut,
        Object.fromEntries(items),
      ]),
    ).toEqual([
      ['1', false, 1, { 11111: 2, 22222: 1 }],
      ['C2', true, 0, { 11111: 2 }],
      ['C3', true, 0, { 11111: 2, 22222: 1 }],
      ['4', false, 0, { 11111: 1 }],
      ['C5', true, 0, { 11111: 2 }],
    ]);
    const purchases = new Purchases();
    const buyer = {} as Buyer;
    const bought = (n: number, orderId: string) =>
      purchases.add('7', { orderId, buyer, items: new Map(invoices[n]!.items) });
    const takes = (n: number) => {
      const { returns, unmatched } = purchases.take(invoices[n]!);
      return [returns.map(each => [each.purchase.orderId, Object.fromEntries(each.items)]), unmatched];
    };
    bought(0, 'first');
    bought(3, 'second');
    expect(takes(4)).toEqual([
      [
        ['second', { 11111: 1 }],
        ['first', { 11111: 1 }],
      ],
      0,
    ]);
    expect(takes(2)).toEqual([[['first', { 11111: 1, 22222: 1 }]], 1]);
    expect(takes(1)).toEqual([[], 2]);
  });
});
