import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { orderOf, readDate } from './dates.js';
import { readSales } from './read-sales.js';

describe('a date', () => {
  it.each([
    ['2010-12-01 08:26:00', '2010-12-01T08:26:00.000Z'],
    ['2010-12-01', '2010-12-01T00:00:00.000Z'],
    ['2010-12-01T08:26:00+05:30', '2010-12-01T02:56:00.000Z'],
    ['1/12/2010 8:26', '2010-12-01T08:26:00.000Z'],
    ['1.12.2010', '2010-12-01T00:00:00.000Z'],
    ['1/12/10 8:26 PM', '2010-12-01T20:26:00.000Z'],
    ['1/12/2010 12:05 AM', '2010-12-01T00:05:00.000Z'],
  ])('is read day first: %s', (text, expected) => {
    expect(readDate(text, 'day-first')?.toISOString()).toBe(expected);
  });

  it.each([
    '2010-02-30',
    '2010-12-01 08:26:00xyz',
    '1/12/2010 24:00',
    '30/2/2010',
    '1/13/2010',
    '1/12/10 13:26 PM',
    '1-12/2010',
    '',
    'x',
  ])('is not read from %j', text => {
    expect(readDate(text, 'day-first')).toBeUndefined();
  });
});

describe('the dates of a file', () => {
  const fileOf = async (dates: string[]) => {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-dates-'));
    const path = join(folder, 'file');
    const header = 'Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID';
    await writeFile(path, `${header}\n${dates.map((at, n) => `${n},A,x,1,${at},1,7`).join('\n')}\n`);
    return { path, remove: () => rm(folder, { recursive: true }) };
  };

  it('are read in one order throughout: a December is no year', async () => {
    const days = Array.from({ length: 31 }, (_, n) => `${n + 1}/12/2010 8:26`);
    const { path, remove } = await fileOf(days);
    const months = new Set<number>();
    for await (const line of readSales(path)) if ('at' in line) months.add(line.at.getUTCMonth());
    expect([...months]).toEqual([11]);
    await remove();
  });

  it('are asked for when nothing settles them, or when they contradict each other', async () => {
    expect(orderOf(['1/2/2010', '3/4/2010'])).toBeUndefined();
    expect(orderOf(['13/2/2010', '3/14/2010'])).toBeUndefined();
    expect(orderOf(['2010-02-01', '2010-02-13'])).toBe('month-first');
    const { path, remove } = await fileOf(['1/2/2010 8:26', '3/4/2010 9:00']);
    await expect(readSales(path).next()).rejects.toThrow('--dates day-first');
    expect((await readSales(path, 'day-first').next()).value).toMatchObject({
      at: new Date('2010-02-01T08:26:00Z'),
    });
    await remove();
  });
});
