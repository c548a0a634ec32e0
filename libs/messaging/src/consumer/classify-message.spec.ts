import { describe, expect, it } from '@jest/globals';
import type { ToHandle } from './classify-message.js';
import { segment } from './classify-message.js';
import type { Route } from './subscription.js';

const [placed, paid] = [{ name: 'placed' }, { name: 'paid' }] as unknown as [Route, Route];

function item(route: Route, key: string, id: string): ToHandle {
  return { kind: 'handle', route, id, event: {}, message: { key } as ToHandle['message'] };
}

describe('segment', () => {
  it('gathers what goes to one handler, and never puts a message before an earlier one of its key', () => {
    const items = [
      item(placed, 'a', 'a placed'),
      item(paid, 'a', 'a paid'),
      item(placed, 'b', 'b placed'),
      item(paid, 'b', 'b paid'),
      item(placed, 'a', 'a placed again'),
    ];
    const calls = segment(items).map(({ route, items: each }) => [route, each.map(one => one.id)]);
    expect(calls).toEqual([
      [placed, ['a placed', 'b placed']],
      [paid, ['a paid', 'b paid']],
      [placed, ['a placed again']],
    ]);
  });
});
