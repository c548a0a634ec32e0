import { expect, it } from '@jest/globals';
import type { z } from 'zod';
import * as contracts from '#contracts';

interface Definition {
  readonly type: string;
  readonly format?: string;
  readonly checks?: readonly { readonly _zod: { readonly def: { readonly check: string } } }[];
  readonly [part: string]: unknown;
}

/** Texts that any caller may fill, and that nothing keeps from holding what PostgreSQL refuses. */
function unbounded(schema: z.ZodType, path: string, seen = new Set<z.ZodType>()): string[] {
  if (seen.has(schema)) return [];
  seen.add(schema);
  const definition = schema._zod.def as unknown as Definition;
  const { type, format, checks = [], shape = {} } = definition;
  const kinds = checks.map(each => each._zod.def.check);
  const isBounded = format !== undefined || kinds.includes('custom') || kinds.includes('string_format');
  const named = Object.entries(shape as Record<string, z.ZodType>);
  const parts = Object.values(definition)
    .flatMap(value => (Array.isArray(value) ? (value as unknown[]) : [value]))
    .filter(
      (value): value is z.ZodType =>
        typeof value === 'object' && value !== null && '_zod' in value && 'safeParse' in value,
    );
  return [
    ...(type === 'string' && !isBounded ? [path] : []),
    ...named.flatMap(([name, part]) => unbounded(part, `${path}.${name}`, seen)),
    ...parts.flatMap(part => unbounded(part, path, seen)),
  ];
}

it('no contract takes a text that PostgreSQL may refuse', () => {
  const found = Object.entries(contracts).flatMap(([name, value]) => {
    const { schema, reply } = value as { schema?: z.ZodType; reply?: z.ZodType };
    return [schema, reply].flatMap(each =>
      each !== undefined && '_zod' in each ? unbounded(each, name) : [],
    );
  });
  expect(found).toEqual([]);
});
