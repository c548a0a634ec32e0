import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { transform } from '@swc/core';

const FAILING = `
interface Nothing {
  readonly nothing?: never;
}

export function fail(_: Nothing): never {
  throw new Error('on purpose');
}
`;

const PROGRAM = `
import { fail } from './failing.js';
import { mapStacks } from './map-stacks.js';

mapStacks();
try {
  fail({});
} catch (error) {
  console.log((error as Error).stack);
}
const odd = Object.assign(new Error(), { toString: () => { throw new Error('odd'); } });
console.log(odd.stack);
`;

describe('the stack of an error', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sluice stack-'));
    const ours = await readFile(new URL('map-stacks.ts', import.meta.url), 'utf8');
    await compile('failing', FAILING);
    await compile('map-stacks', ours);
    await compile('program', PROGRAM);
    await writeFile(join(folder, 'package.json'), '{"type":"module"}');
  });

  afterEach(() => rm(folder, { recursive: true, force: true }));

  async function compile(name: string, source: string): Promise<void> {
    const { code, map } = await transform(source, {
      filename: join(folder, `${name}.ts`),
      sourceMaps: true,
      swcrc: false,
      jsc: { target: 'es2023', parser: { syntax: 'typescript' } },
      module: { type: 'es6' },
    });
    await writeFile(join(folder, `${name}.js`), code);
    await writeFile(join(folder, `${name}.js.map`), map!);
  }

  const run = () => execFileSync(process.execPath, [join(folder, 'program.js')], { encoding: 'utf8' });

  it('points to the line of the source, although its module was loaded before', () => {
    const line = FAILING.split('\n').findIndex(text => text.includes('throw')) + 1;
    expect(run()).toContain(`${join(folder, 'failing.ts')}:${line}:`);
  });

  it('is what it was where there is no source map, and for an error that cannot say what it is', async () => {
    await rm(join(folder, 'failing.js.map'));
    const told = run();
    expect(told).toMatch(/Error: on purpose\n\s+at fail \(file:.*failing\.js:\d+:\d+\)/);
    expect(told).toMatch(/\nError\n\s+at file:|\nError\n\s+at .*program/);
  });
});
