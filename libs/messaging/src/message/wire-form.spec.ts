import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { defineEvent } from './define-event.js';
import { defineRequest } from './define-request.js';
import { decode, envelop, InvalidEvent, toWire } from './envelope.js';

const event = <Schema extends z.ZodType>(schema: Schema) =>
  defineEvent({ type: 'test.happened.v1', topic: 'test', key: () => 'k', schema });
const request = (schema: z.ZodType, reply: z.ZodType = z.null()) =>
  defineRequest({ type: 'test.ask.v1', schema, reply });

describe('a contract', () => {
  it.each<[string, z.ZodType]>([
    ['a date', z.object({ at: z.date() })],
    ['a coerced date', z.object({ at: z.coerce.date() })],
    ['a map', z.object({ of: z.array(z.map(z.string(), z.number())) })],
    ['a set', z.set(z.string())],
    ['a bigint', z.object({ n: z.bigint().optional() })],
    ['a bigint literal', z.object({ n: z.literal(1n) })],
    ['a symbol', z.union([z.string(), z.symbol()])],
    ['a transformation', z.object({ minor: z.number().transform(amount => amount * 100) })],
    ['a preprocessing', z.preprocess(value => Number(value) * 100, z.number())],
    ['a codec', z.codec(z.string(), z.number(), { decode: Number, encode: String })],
  ])('is refused when it is defined if it has %s', (_, schema) => {
    expect(() => event(schema)).toThrow(TypeError);
    expect(() => event(schema)).toThrow('cannot be sent as JSON');
    expect(() => request(schema)).toThrow('cannot be sent as JSON');
    expect(() => request(z.null(), schema)).toThrow('the reply to test.ask.v1 cannot be sent as JSON');
  });

  it.each<[string, z.ZodType, unknown]>([
    ['bytes', z.instanceof(Uint8Array), new Uint8Array([1, 2])],
    ['a date where anything may be', z.object({ any: z.any() }), { any: new Date() }],
    ['a number that is none', z.unknown(), Number.NaN],
    ['a function', z.unknown(), () => 1],
    ['what parsing changes again', z.number().overwrite(amount => amount * 10_000), 12.5],
    ['what has no end', z.record(z.string(), z.unknown()), cycle()],
    ['a NUL character', z.string(), 'a\0b'],
    ['half of a surrogate pair', z.object({ deep: z.array(z.string()) }), { deep: ['\ud800'] }],
    ['half of a surrogate pair in a name', z.record(z.string(), z.int()), { '\udc00': 1 }],
    ['nothing', z.undefined(), undefined],
  ])('refuses at publishing %s', (_, schema, data) => {
    expect(() => envelop(event(schema), data)).toThrow(InvalidEvent);
  });

  it.each<[string, z.ZodType, unknown]>([
    ['a bare text', z.string(), 'text "with" quotes'],
    ['a bare number', z.number(), 12.5],
    ['a bare truth value', z.boolean(), false],
    ['nothing at all', z.null(), null],
    ['a list', z.array(z.int()), [1, 2]],
    ['trimmed text', z.string().trim().toLowerCase(), 'abc'],
    ['a text about backslashes', z.string(), 'C:\\u0000 and \\\\ud800'],
    ['emoji', z.string(), '👍'],
    ['optional fields', z.object({ a: z.int().optional(), b: z.unknown() }), { b: { c: [1, null] } }],
    ['json', z.json(), { a: [1, 'x', null] }],
  ])('brings back %s as it went in', (_, schema, data) => {
    const definition = event(schema);
    expect(decode(definition, toWire(envelop(definition, data), 'test'))).toEqual({ ok: true, event: data });
  });
});

function cycle(): object {
  const self: { self?: object } = {};
  self.self = self;
  return self;
}
