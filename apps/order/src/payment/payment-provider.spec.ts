import { createHmac } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { OrderConfig } from '../order.config.js';
import { InvalidSignature, PaymentProvider } from './payment-provider.js';

const SECRET = 'a secret of the provider';
const provider = new PaymentProvider(
  OrderConfig.parse({
    DATABASE_URL: 'postgres://localhost/order',
    PAYMENT_PROVIDER_URL: 'http://127.0.0.1:1',
    PAYMENT_CALLBACK_URL: 'http://127.0.0.1:1',
    PAYMENT_SECRET: SECRET,
    PAYMENT_API_KEY: 'x'.repeat(16),
  }),
);
const BODY = '{"paymentId":"1"}';
const signed = createHmac('sha256', SECRET).update(`1000.${BODY}`).digest('hex');

describe('a callback', () => {
  it('is the provider’s when it is signed as agreed, and fresh', () => {
    expect(() => provider.verify('1000', BODY, signed, 1_000_000)).not.toThrow();
    expect(() => provider.verify('1000', BODY, signed.toUpperCase(), 1_000_000)).not.toThrow();
    expect(() => provider.verify('1000', BODY, signed, 9_000_000)).toThrow(InvalidSignature);
    expect(() => provider.verify('1000', `${BODY} `, signed, 1_000_000)).toThrow(InvalidSignature);
  });

  it.each(['', 'ab', '0'.repeat(64), `${signed}zz`, `${signed}00`, signed.slice(0, -2), `zz${signed}`])(
    'is not, with a signature that is not exactly its own: "%s"',
    signature => {
      expect(() => provider.verify('1000', BODY, signature, 1_000_000)).toThrow(InvalidSignature);
    },
  );
});
