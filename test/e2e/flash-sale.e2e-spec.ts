import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { auditReport, type ShopClient, type RunningShop, startShop } from '#shop-kit';
import { runFlashSale } from '../../lab/flash-sale/flash-sale.js';
import { bestSeller } from './real-catalogue.js';

describe('a flash sale', () => {
  let running: RunningShop;
  let shop: ShopClient;

  beforeAll(async () => {
    running = await startShop();
    shop = running.connect({ connections: 1_000 });
  });

  afterAll(async () => {
    await running.stop();
  });

  it('sells 500 of the best-selling SKU to 5,000 shoppers at once, each exactly once, and the books agree', async () => {
    const sku = await bestSeller(shop);
    const report = await runFlashSale(shop, { sku, stock: 500, shoppers: 5_000, say: () => undefined });
    expect(report.answers).toEqual({
      '201': 500,
      '409 sold_out': expect.any(Number),
      '409 limit_reached': expect.any(Number),
      '401 invalid_token': 17,
      '400 invalid_input': 17,
      '404 campaign_not_found': 16,
    });
    expect(Object.values(report.answers).reduce((total, count) => total + count, 0)).toBe(5_000 + 500 + 50);
    expect(new Set(report.won.map(({ orderId }) => orderId)).size).toBe(500);
    expect(new Set(report.won.map(({ buyer }) => buyer.userId)).size).toBe(500);
    expect(report.paid).toBe(500);
    expect(auditReport(report.audit)).toContain('audit: clean');
    const campaign = await shop.get(`/api/campaigns/${report.campaignId}`);
    expect(campaign).toMatchObject({ stock: 500, available: 0, reserved: 0, sold: 500 });

    const { buyer, orderId } = report.won[0]!;
    expect(await shop.get('/api/me/points', buyer.token)).toMatchObject({
      balance: 19,
      entries: [{ orderId, kind: 'award' }],
    });
    const { notices } = (await shop.get('/api/me/notifications', buyer.token)) as {
      notices: { kind: string }[];
    };
    expect(notices.map(notice => notice.kind).sort()).toEqual(['order-paid', 'order-placed']);
  }, 240_000);
});
