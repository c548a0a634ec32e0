import { describe, expect, it } from '@jest/globals';
import { judge } from './row.js';

const GOOD = { code: 'A1', title: ' Lamp ', priceMinor: '1250', currency: 'GBP', stock: 7 };
const reasonOf = (change: object) => {
  const judged = judge({ line: 3, values: { ...GOOD, ...change } });
  return 'reason' in judged ? judged.reason : undefined;
};

describe('a line of a publication', () => {
  it('is taken when every value is as it should be', () => {
    expect(judge({ line: 3, values: GOOD })).toEqual({
      row: { line: 3, code: 'A1', title: 'Lamp', priceMinor: 1_250, currency: 'GBP', stock: 7 },
    });
  });

  it.each([
    'abc',
    '0x10',
    '12.00',
    '12.5',
    '1,000',
    '1 000',
    '1e3',
    '007',
    '+5',
    '-5',
    ' 5',
    '',
    'NaN',
    12.5,
    Number.NaN,
    1e300,
  ])('invents no number from %j', value => {
    expect(reasonOf({ stock: value })).toMatch(/^stock /);
    expect(reasonOf({ priceMinor: value })).toMatch(/^priceMinor /);
  });

  it('says what is missing, empty, too low or too high', () => {
    expect(reasonOf({ stock: undefined })).toBe('stock is missing');
    expect(reasonOf({ stock: '' })).toBe('stock is empty');
    expect(reasonOf({ priceMinor: 0 })).toBe('priceMinor is too low');
    expect(reasonOf({ stock: '1000000001' })).toBe('stock is too high');
    expect(reasonOf({ title: '   ' })).toBe('title is empty');
    expect(reasonOf({ code: undefined, title: undefined })).toBe('code is missing; title is missing');
    expect(reasonOf({ currency: 'XYZ' })).toBe('currency is not a currency of ISO 4217');
  });

  it('keeps the problem that it was read with', () => {
    expect(judge({ line: 3, values: {}, problem: 'the line is cut' })).toEqual({
      line: 3,
      code: null,
      reason: 'the line is cut',
    });
  });

  it('has its pictures as a browser writes their addresses, and no other schemes', () => {
    expect(
      judge({ line: 3, values: { ...GOOD, pictures: ' HTTPS://a.example/ä b|http://b.example ' } }),
    ).toEqual({
      line: 3,
      code: 'A1',
      reason: 'pictures has "b", which is not an address such as https://…',
    });
    const pictures = ' HTTPS://a.example/ä|http://b.example ';
    expect(judge({ line: 3, values: { ...GOOD, pictures } })).toMatchObject({
      row: { pictures: ['https://a.example/%C3%A4', 'http://b.example/'] },
    });
    for (const bad of ['javascript:alert(1)', 'https://user:word@a.example', '//a.example', 'data:,x'])
      expect(reasonOf({ pictures: bad })).toContain('is not an address');
    expect(reasonOf({ pictures: 'https://a.example '.repeat(11) })).toBe(
      'pictures has more than 10 addresses',
    );
    expect(reasonOf({ pictures: 7 })).toBe('pictures is not a text');
  });

  it('has a promotional price below its price, none where the cell is empty, and says nothing of it otherwise', () => {
    const promotionOf = (change: object) => {
      const judged = judge({ line: 3, values: { ...GOOD, ...change } });
      return 'row' in judged ? judged.row.promoPriceMinor : judged.reason;
    };
    expect(promotionOf({})).toBeUndefined();
    expect(promotionOf({ promoPriceMinor: '' })).toBeNull();
    expect(promotionOf({ promoPriceMinor: '900' })).toBe(900);
    expect(promotionOf({ promoPriceMinor: 1_250 })).toBe('promoPriceMinor is not below priceMinor');
    expect(promotionOf({ promoPriceMinor: '9.00' })).toMatch(/^promoPriceMinor is not a whole number/);
    expect(promotionOf({ promoPriceMinor: 0 })).toBe('promoPriceMinor is too low');
  });
});
