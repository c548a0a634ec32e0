import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { readArguments } from './arguments.js';

const schema = z.object({
  file: z.string('name the file'),
  speed: z.coerce.number('that is no number').positive('that is not above zero').default(1),
});
const read = (...argv: string[]) => readArguments('npm run it -- FILE [--speed N]', 'file', schema, argv);

describe('a command’s arguments', () => {
  it('are a word and options, with what is left out filled in', () => {
    expect(read('a.csv', '--speed', '5')).toEqual({ file: 'a.csv', speed: 5 });
    expect(read('a.csv')).toEqual({ file: 'a.csv', speed: 1 });
  });

  it.each([
    [[], 'name the file'],
    [['a.csv', '--speed', 'fast'], '--speed: that is no number'],
    [['a.csv', '--speed', '0'], '--speed: that is not above zero'],
    [['a.csv', '--sped', '5'], "Unknown option '--sped'"],
    [['a.csv', 'b.csv'], '"b.csv" is one word too many'],
  ])('say what is wrong with %j, and how it is used', (argv, problem) => {
    expect(() => read(...argv)).toThrow(problem);
    expect(() => read(...argv)).toThrow('npm run it -- FILE');
  });
});
