import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Buyer } from '#shop-kit';
import { type Invoice, readInvoices } from './invoices.js';
import { Purchases } from './purchases.js';

const HEADER = 'InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country';

describe('the retail file', () => {
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sluice-replay-'));
  });

  afterAll(async () => {
    await rm(folder, { recursive: true });
  });

  it('has every line that cannot be read told, also when all are, and none of them in an invoice', async () => {
    const bad = [
      '1,1,a,six,2010-12-01,1,7,UK',
      '2,1,a,1,yesterday,1,7,UK',
      '3,1,a,1,2010-12-01,1x,7,UK',
      '4,1',
    ];
    await writeFile(join(folder, 'file'), `${HEADER}\n${bad.join('\n')}\n`);
    const told: string[] = [];
    for await (const invoice of readInvoices(join(folder, 'file'), undefined, line =>
      told.push(line.problem),
    ))
      throw new Error(`there is no invoice ${invoice.number}`);
    expect(told).toEqual([
      'the quantity "six" is not a whole number',
      '"yesterday" is not a date',
      'the price "1x" is not a number such as 2.55',
      expect.stringContaining('the line has 2 cells'),
    ]);
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
    await writeFile(join(folder, 'file'), `${HEADER}\n${lines.join('\n')}\n`);
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
