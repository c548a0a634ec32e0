import { describe, expect, it } from '@jest/globals';
import { QueryFailedError } from 'typeorm';
import { asError, describeError, storableError } from './describe-error.js';
import { DependencyUnavailable, isInfrastructureError } from './infrastructure-error.js';

const withCode = (code: string) => Object.assign(new Error('failed'), { code });
const failedQuery = (driverError: Error) => new QueryFailedError('SELECT 1', [], driverError);

describe('an outage', () => {
  it.each([
    ['a lost connection', withCode('ECONNRESET')],
    ['a server that shuts down', failedQuery(withCode('57P01'))],
    ['a deadlock', failedQuery(withCode('40P01'))],
    ['a query without an answer', failedQuery(new Error('Connection terminated unexpectedly'))],
    ['a fetch that timed out', new DOMException('too late', 'TimeoutError')],
    ['a fetch that was refused', new TypeError('fetch failed', { cause: withCode('UND_ERR_SOCKET') })],
    ['what a handler says is one', new Error('no', { cause: new DependencyUnavailable('it', 'away') })],
  ])('is %s', (_, error) => {
    expect(isInfrastructureError(error)).toBe(true);
  });

  it.each([
    ['an error with its words', new Error('Connection terminated by the card issuer')],
    ['an error with its name', Object.assign(new Error('card'), { name: 'TimeoutError' })],
    ['a code of the business', withCode('57OUT')],
    ['another of its codes', withCode('unavailable')],
    ['a value that the driver refuses', failedQuery(new TypeError('circular'))],
    ['data that the database refuses', failedQuery(withCode('23505'))],
    ['no error at all', undefined],
  ])('is not %s', (_, error) => {
    expect(isInfrastructureError(error)).toBe(false);
  });

  it('is found in bounded time in causes that loop', () => {
    const [one, two] = [new Error('one'), new Error('two')];
    one.cause = two;
    two.cause = one;
    expect(isInfrastructureError(one)).toBe(false);
  });
});

describe('what a handler throws', () => {
  const throwing = {
    get message() {
      throw new Error('no');
    },
  };
  const hostile = new Proxy(new Error('x'), {
    get: () => {
      throw new Error('no');
    },
    getPrototypeOf: () => {
      throw new Error('no');
    },
  });

  it.each([
    ['nothing', undefined],
    ['null', null],
    ['a text', 'broken'],
    ['an object without a prototype', Object.create(null)],
    ['a property that throws', throwing],
    ['a proxy that throws', hostile],
    ['an error whose stack is no text', Object.assign(new Error('x'), { stack: { a: 1 } })],
    ['an error whose message is no text', Object.assign(new Error('x'), { message: 7, stack: undefined })],
    ['a symbol', Symbol('x')],
  ])('is an error that can be classified, described and stored: %s', (_, thrown) => {
    const error = asError(thrown);
    expect(error).toBeInstanceOf(Error);
    expect(isInfrastructureError(error)).toBe(false);
    expect(describeError(error)).toMatch(/a handler threw/);
    expect(storableError(error, 10)).toHaveLength(10);
  });

  it('is left as it is when it is an ordinary error', () => {
    const error = new DependencyUnavailable('it', 'away');
    expect(asError(error)).toBe(error);
  });

  it('is described in bounded length', () => {
    expect(describeError('x'.repeat(1_000_000))).toHaveLength(20_000);
  });
});
