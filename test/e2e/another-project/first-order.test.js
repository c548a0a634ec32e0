// #region another-project
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { anItem, startShop } from 'sluice/shop-kit';

let shop;
before(async () => {
  shop = await startShop();
});
after(() => shop.stop());

test('an order can be paid', async () => {
  const ann = await shop.client.buyer('ann');
  const orderId = await ann.order([anItem()]);
  await ann.untilOrder(orderId, 'awaiting_payment');
  await ann.pay(orderId);
  assert.equal((await ann.untilOrder(orderId, 'paid')).status, 'paid');
});
// #endregion
