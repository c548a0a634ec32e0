import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { defineEvent } from './define-event.js';
import { defineRequest } from './define-request.js';
import { decode, envelop, Header, toWire } from './envelope.js';
import { childOf, currentTraceparent, runInTrace } from './trace.js';
import { uuidv7 } from './uuid-v7.js';

const Happened = defineEvent({
  type: 'test.happened.v1',
  topic: 'test',
  key: event => event.key,
  schema: z.object({ key: z.string(), n: z.int() }),
});

describe('messages', () => {
  it('carry CloudEvents headers and the running trace', () => {
    const trace = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const { headers } = toWire(
      runInTrace(trace, () => envelop(Happened, { key: 'a', n: 1 })),
      'shop',
    );
    expect(headers).toMatchObject({
      [Header.specVersion]: '1.0',
      [Header.type]: 'test.happened.v1',
      [Header.source]: '/shop',
      [Header.contentType]: 'application/json',
    });
    expect(headers[Header.traceparent]).toMatch(
      /^00-0af7651916cd43dd8448eb211c80319c-(?!b7ad6b7169203331)[0-9a-f]{16}-01$/,
    );
  });

  it('come back as they went', () => {
    const event = { key: 'ключ', n: 3 };
    expect(decode(Happened, toWire(envelop(Happened, event), 'shop'))).toEqual({ ok: true, event });
  });

  it('start a new trace when the given one is malformed', () => {
    for (const broken of ['', 'nonsense', `00-${'0'.repeat(32)}-b7ad6b7169203331-01`]) {
      expect(childOf(broken)).toMatch(/^00-(?!0{32})[0-9a-f]{32}-[0-9a-f]{16}-01$/);
    }
    expect(currentTraceparent()).toBeUndefined();
  });

  it('have types that say owner, what happened and version', () => {
    expect(() => defineEvent({ ...Happened, type: 'happened' })).toThrow('order.paid.v1');
    expect(() => defineRequest({ type: 'order.place', schema: z.any(), reply: z.any() })).toThrow(
      'order.place.v1',
    );
    expect(defineRequest({ type: 'order.place.v1', schema: z.any(), reply: z.any() }).service).toBe('order');
  });

  it('have ids that sort by time and never repeat', () => {
    const ids = Array.from({ length: 2_000 }, () => uuidv7());
    expect(new Set(ids).size).toBe(ids.length);
    expect(uuidv7(1_000) < uuidv7(2_000)).toBe(true);
    expect(
      ids.every(id => /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id)),
    ).toBe(true);
  });
});
