import { describe, expect, it } from '@jest/globals';
import { readCommand } from './arguments.js';

describe('npm run messaging', () => {
  it.each([
    ['', 'say what to do'],
    ['dance', '"dance" is not known'],
    ['pause', 'pause what?'],
    ['replay', 'the id of a letter, or a filter, or --all'],
    ['replay some-id --all', 'the id of a letter, or a filter, or --all'],
    ['discard some-id', 'needs a --reason'],
    ['alerts one', '"one" is one word too many'],
    ['pause one two', '"two" is one word too many'],
    ['resume one --status dead', 'resume has no option --status'],
    ['replay --all --type x', 'the id of a letter, or a filter, or --all'],
    ['alerts --loud', "Unknown option '--loud'"],
  ])('refuses "%s" and says how it is used', (line, what) => {
    const read = () => readCommand(line.split(' ').filter(word => word !== ''));
    expect(read).toThrow(what);
    expect(read).toThrow('npm run messaging -- WHAT');
  });

  it('reads a filter as the shop has it', () => {
    const line = 'replay --type order.paid.v1 --reason-of-death failed --trace-id x';
    expect(readCommand(line.split(' '))).toMatchObject({
      name: 'replay',
      about: undefined,
      filter: { type: 'order.paid.v1', reason: 'failed', traceId: 'x' },
    });
  });
});
