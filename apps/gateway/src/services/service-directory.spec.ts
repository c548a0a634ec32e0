import { describe, expect, it } from '@jest/globals';
import type { GatewayConfig } from '../gateway.config.js';
import { ServiceDirectory } from './service-directory.js';

const announced = (service: string, instance: string, address: string) => ({
  service,
  instance,
  address,
  subscriptions: [`${service}.follow-order`],
  hasFacts: true,
});

describe('the directory of services', () => {
  const directory = () =>
    new ServiceDirectory({ SLUICE_INSTANCES: { order: ['127.0.0.1:1'] } } as unknown as GatewayConfig);

  it('has those of the configuration, and those that announce themselves', () => {
    const services = directory();
    services.learn(announced('audit-trail', 'audit-trail-1', '127.0.0.1:9'));
    services.learn(announced('order', 'order-2', '127.0.0.1:2'));
    expect(services.services).toEqual(['audit-trail', 'order']);
    expect(services.addressesOf('order')).toEqual(['127.0.0.1:1']);
    expect(services.describe('order')).toMatchObject({ subscriptions: ['order.follow-order'] });
    expect(services.describe('audit-trail')).toMatchObject({
      addresses: ['127.0.0.1:9'],
      subscriptions: ['audit-trail.follow-order'],
      hasFacts: true,
    });
    expect(directory().describe('order')).toMatchObject({ subscriptions: [], hasFacts: null });
  });

  it('asks a silent instance no more, but does not forget its service', () => {
    const services = directory();
    services.learn(announced('audit-trail', 'audit-trail-1', '127.0.0.1:9'), 0);
    expect(services.addressesOf('audit-trail', 89_000)).toEqual(['127.0.0.1:9']);
    expect(services.addressesOf('audit-trail', 91_000)).toEqual([]);
    expect(services.services).toContain('audit-trail');
    expect(services.addressesOf('order', 91_000)).toEqual(['127.0.0.1:1']);
  });
});
