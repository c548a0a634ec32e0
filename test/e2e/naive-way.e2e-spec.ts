import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { auditReport, type RunningShop, type ShopClient, startShop } from '#shop-kit';

const Naive = z.object({
  naive: z.array(
    z.object({
      campaignId: z.string(),
      holds: z.boolean(),
      orders: z.record(z.string(), z.number().nullable()),
    }),
  ),
});

describe('a campaign that sells the naive way', () => {
  let running: RunningShop;
  let shop: ShopClient;

  beforeAll(async () => {
    running = await startShop({ lab: true });
    shop = running.client;
  });

  afterAll(() => running.stop());

  const open = (mode: string) => shop.operator.openCampaign({ stock: 5, priceMinor: 100, mode });
  const click = async (campaignId: string, buyer: string) =>
    shop.call('POST', `/api/campaigns/${campaignId}/orders`, { token: await shop.signIn(buyer), body: {} });
  const naive = async () => Naive.parse(await shop.get('/api/admin/audit', await shop.asOperator())).naive;

  it('does all five steps while the buyer waits, and its books are shown apart', async () => {
    const campaignId = await open('sync');
    const answers = await Promise.all(Array.from({ length: 8 }, (_, n) => click(campaignId, `naive-${n}`)));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 201, 201, 201, 201, 409, 409, 409]);
    expect(await naive()).toEqual([
      expect.objectContaining({
        campaignId,
        holds: true,
        orders: { seckill: 5, order: 5, notification: 5, statistics: 5 },
      }),
    ]);
    const won = answers.findIndex(({ status }) => status === 201);
    const { orderId } = answers[won]!.body as { orderId: string };
    const order = await shop.get(`/api/orders/${orderId}`, await shop.signIn(`naive-${won}`));
    expect(order).toMatchObject({ status: 'awaiting_payment', origin: { campaignId }, totalMinor: 100 });
  }, 60_000);

  it('loses what it had not done when a service is away, which shows apart, while the shop’s own books stay clean', async () => {
    const campaignId = await open('sync');
    // The SMS provider refuses: the text message and what comes after it are never done.
    await running.faults.outside('sms', { failRate: 1 });
    const answer = await click(campaignId, 'unlucky');
    await running.faults.repair('sms');
    expect(answer.status).toBe(503);
    const own = await open('async');
    expect((await click(own, 'lucky')).status).toBe(201);
    const audit = await running.audit();
    expect(auditReport(audit)).toContain('audit: clean');
    const books = (await naive()).find(each => each.campaignId === campaignId);
    expect(books).toMatchObject({
      holds: false,
      orders: { seckill: 1, order: 1, notification: 0, statistics: 0 },
    });
  }, 60_000);
});
