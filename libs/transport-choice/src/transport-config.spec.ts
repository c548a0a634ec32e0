import { describe, expect, it } from '@jest/globals';
import { TransportConfig } from './transport-config.js';

const badKeys = (env: Record<string, string>) =>
  TransportConfig.safeParse(env).error?.issues.map(issue => issue.path.join('.'));

describe('the configuration of a transport', () => {
  it('asks for what the chosen one needs, and for nothing else', () => {
    expect(badKeys({})).toEqual(['SLUICE_TRANSPORT_URL']);
    expect(badKeys({ SLUICE_TRANSPORT_URL: 'postgres://localhost/log' })).toBeUndefined();
    expect(badKeys({ SLUICE_TRANSPORT: 'kafka' })).toEqual(['SLUICE_KAFKA_BROKERS']);
    expect(badKeys({ SLUICE_TRANSPORT: 'kafka', SLUICE_KAFKA_BROKERS: 'a:1, b:2' })).toBeUndefined();
  });

  it('names every key that cannot be used', () => {
    const kafka = { SLUICE_TRANSPORT: 'kafka', SLUICE_KAFKA_BROKERS: 'a:1' };
    expect(badKeys({ ...kafka, SLUICE_KAFKA_SASL_MECHANISM: 'plain' })).toEqual([
      'SLUICE_KAFKA_USERNAME',
      'SLUICE_KAFKA_PASSWORD',
    ]);
    expect(badKeys({ ...kafka, SLUICE_KAFKA_BROKERS: 'nowhere' })).toEqual(['SLUICE_KAFKA_BROKERS.0']);
    expect(badKeys({ ...kafka, SLUICE_KAFKA_CA: '/nowhere/ca.pem' })).toEqual(['SLUICE_KAFKA_CA']);
    expect(badKeys({ ...kafka, SLUICE_KAFKA_PREFIX: 'a b' })).toEqual(['SLUICE_KAFKA_PREFIX']);
  });
});
