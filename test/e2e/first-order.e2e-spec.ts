// #region first-test
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { anItem, aProduct, type RunningShop, startShop } from '#shop-kit';

let shop: RunningShop;

beforeAll(async () => {
  shop = await startShop();
}, 60_000);

afterAll(() => shop?.stop());

it('awards points for a paid order, and tells the buyer', async () => {
  const [sku] = await shop.client.operator.publish([aProduct({ priceMinor: 12_50 })]);
  const ann = await shop.client.buyer('ann');

  const orderId = await ann.order([anItem({ sku, quantity: 2 })]);
  await ann.untilOrder(orderId, 'awaiting_payment');
  await ann.pay(orderId);

  expect(await ann.untilOrder(orderId, 'paid')).toMatchObject({ totalMinor: 25_00 });
  expect(await ann.untilPoints(25)).toBe(25);
  expect(await ann.untilNotices(2)).toHaveLength(2);
}, 60_000);
// #endregion

// #region faults
it('gives a buyer the points when the points service dies before it has awarded them', async () => {
  const { faults, client } = shop;
  const ben = await client.buyer('ben');
  const campaignId = await client.operator.openCampaign({ stock: 1, priceMinor: 10_00 });
  const orderId = await ben.reserve(campaignId);
  await ben.untilOrder(orderId, 'awaiting_payment');

  await faults.freeze('points-1');
  await ben.pay(orderId);
  await ben.untilOrder(orderId, 'paid');
  await faults.kill('points-1');
  await faults.untilUp('points-1');

  expect(await ben.untilPoints(10)).toBe(10);
  expect(await shop.audit()).toMatchObject({ settled: true, clean: true });
}, 60_000);
// #endregion

// #region outside
it('keeps a text message until the SMS gateway is back', async () => {
  const { faults, client } = shop;
  await faults.outside('sms', { failRate: 1 });
  const cid = await client.buyer('cid');
  const orderId = await cid.order([anItem()]);
  await cid.untilOrder(orderId, 'awaiting_payment');
  await client.operator.untilSubscription('notification.follow-order', ({ waiting }) => waiting !== null);

  await faults.repair('sms');

  expect(await cid.untilNotices(1)).toHaveLength(1);
}, 60_000);
// #endregion
