import { isDeepStrictEqual } from 'node:util';
import type { z } from 'zod';

/**
 * Data travels as JSON, and is parsed by the same schema when it arrives. So a schema must describe what JSON can carry,
 * and parsing must change nothing the second time. Most schemas are known to be so by what they consist of.
 */

/** Kinds of schema that JSON has no form for, and those whose parsing changes the data. */
const NOT_JSON = new Set([
  'bigint',
  'date',
  'file',
  'function',
  'map',
  'nan',
  'promise',
  'set',
  'symbol',
  'transform',
  'void',
]);

/** Kinds of schema that are as they should be if their parts are. */
const PLAIN = new Set([
  'array',
  'boolean',
  'default',
  'enum',
  'int',
  'intersection',
  'literal',
  'never',
  'nonoptional',
  'null',
  'nullable',
  'number',
  'object',
  'optional',
  'pipe',
  'readonly',
  'record',
  'string',
  'template_literal',
  'tuple',
  'undefined',
  'union',
]);

/** A schema as zod keeps it. */
interface Definition {
  readonly type: string;
  readonly checks?: readonly { readonly _zod: { readonly def: { readonly check: string } } }[];
  readonly values?: readonly unknown[];
  readonly [part: string]: unknown;
}

/** Schemas whose data must be looked at, because what they consist of does not say enough. */
const unproven = new WeakSet<z.ZodType>();

/**
 * Checks a contract when it is defined.
 * @throws TypeError when it has a part that JSON cannot carry, or one that would be transformed twice
 */
export function checkWireForm(what: string, schema: z.ZodType): void {
  if (!isPlainSchema(what, schema, [], new Set())) unproven.add(schema);
}

/** @returns whether it is known to be as it should be; false if its data must be looked at */
function isPlainSchema(
  what: string,
  schema: z.ZodType,
  path: readonly string[],
  seen: Set<z.ZodType>,
): boolean {
  if (seen.has(schema)) return true;
  seen.add(schema);
  const definition = schema._zod.def as unknown as Definition;
  const { type, checks = [], values = [] } = definition;
  const isCodec = type === 'pipe' && typeof definition['transform'] === 'function';
  if (NOT_JSON.has(type) || isCodec || values.some(value => typeof value === 'bigint')) {
    const at = path.length === 0 ? '' : ` at ${path.join('.')}`;
    throw new TypeError(
      `${what} cannot be sent as JSON: it has ${type === 'transform' || isCodec ? 'a transformation' : `a ${type}`}${at}; ` +
        'describe what travels, such as a text or a number, and convert it in the code that uses it',
    );
  }
  // Trimming changes nothing the second time, but another function may.
  const overwrites = checks.some(each => each._zod.def.check === 'overwrite');
  const parts = partsOf(definition).map(([name, part]) =>
    isPlainSchema(what, part, [...path, ...name], seen),
  );
  return PLAIN.has(type) && !overwrites && parts.every(Boolean);
}

function partsOf(definition: Definition): [string[], z.ZodType][] {
  const named = Object.entries((definition['shape'] ?? {}) as Record<string, z.ZodType>);
  // Checks look like schemas, and say nothing of what travels.
  const own = Object.entries(definition).flatMap(([name, value]) =>
    name === 'checks' ? [] : [value].flat(),
  );
  return [
    ...named.map(([name, part]): [string[], z.ZodType] => [[name], part]),
    ...own.filter(isSchema).map((part): [string[], z.ZodType] => [[], part]),
  ];
}

function isSchema(value: unknown): value is z.ZodType {
  return typeof value === 'object' && value !== null && '_zod' in value && 'safeParse' in value;
}

/** The data does not come back from JSON as it was. */
export class NotJson extends Error {}

/** A character that neither PostgreSQL nor UTF-8 has: NUL, or half of a surrogate pair, as JSON writes it. */
const UNSTORABLE = /(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f])/;

/**
 * Writes data that its schema has parsed as JSON.
 * @throws NotJson when no store takes it, or when it would not come back as it is
 */
export function toJson(schema: z.ZodType, data: unknown): string {
  proveJson(schema, data);
  const json = stringify(data);
  if (json === undefined) throw new NotJson('there is nothing to send');
  if (json.includes('\\u') && UNSTORABLE.test(json))
    throw new NotJson('it has a NUL character or half of a surrogate pair in it');
  return json;
}

/**
 * Looks at data whose schema alone does not say that it travels as it is.
 * @throws NotJson when it would not come back as it is
 */
export function proveJson(schema: z.ZodType, data: unknown): void {
  if (!unproven.has(schema)) return;
  if (!isPlain(data)) throw new NotJson('it has something that JSON does not carry');
  const once = schema.safeParse(JSON.parse(stringify(data) ?? 'null'));
  const twice = once.success ? schema.safeParse(JSON.parse(stringify(once.data) ?? 'null')) : once;
  if (!once.success || !twice.success || !isDeepStrictEqual(once.data, twice.data))
    throw new NotJson('it does not come back from JSON as it went in');
}

/** @throws NotJson for what is nested too deeply, refers to itself, or has a large integer */
function stringify(data: unknown): string | undefined {
  try {
    return JSON.stringify(data);
  } catch (error) {
    throw new NotJson(String(error));
  }
}

/** Most levels of data whose schema does not limit them. */
const DEEPEST = 100;

function isPlain(value: unknown, depth = 0): boolean {
  if (depth > DEEPEST) return false;
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return true;
  if (typeof value === 'number') return Number.isFinite(value);
  if (Array.isArray(value)) return value.every(each => isPlain(each, depth + 1));
  if (typeof value !== 'object') return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  const isObject = prototype === Object.prototype || prototype === null;
  return isObject && Object.values(value).every(each => each === undefined || isPlain(each, depth + 1));
}
