import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  getAuditReport,
  GetOrder,
  OrderCancelled,
  OrderCompleted,
  OrderPaid,
  OrderPlaced,
  OrderRefunded,
  PlaceOrder,
  SeckillReserved,
  StartPayment,
  StockReserved,
} from '#contracts';
import { aSeckillReserved } from './builders.js';
import { startOrder } from './order-fixture.js';

const refusal = (code: string) => ({ status: 'rejected', reason: expect.objectContaining({ code }) });
const done = (value: object = {}) => ({ status: 'fulfilled', value: expect.objectContaining(value) });

describe('an order', () => {
  let order: Awaited<ReturnType<typeof startOrder>>;

  beforeEach(async () => {
    order = await startOrder();
  });

  afterEach(() => order.harness.stop());

  describe('placed', () => {
    it('twice under one id is one order, and is told once', async () => {
      const orderId = randomUUID();
      await Promise.all([order.place(orderId, 'ann'), order.place(orderId, 'ann')]);
      await order.place(orderId, 'ann');
      const marker = randomUUID();
      await order.place(marker, 'ann');
      const told = await order.harness.publishedOf(OrderPlaced, 2);
      expect(told.map(each => each.orderId)).toEqual([orderId, marker]);
    });

    it('by a flash sale is written once when its reservation comes twice', async () => {
      const reservation = aSeckillReserved();
      await order.harness.deliver(SeckillReserved, reservation);
      await order.harness.deliver(SeckillReserved, reservation);
      expect(await order.harness.publishedOf(OrderPlaced, 1)).toHaveLength(1);
      const { orderId, buyerId } = reservation;
      expect(await order.harness.ask(GetOrder, { orderId, buyerId })).toMatchObject({
        status: 'awaiting_payment',
        totalMinor: 990,
      });
    });

    it('keeps the quantity that was ordered, whatever the catalog says that it holds', async () => {
      const orderId = randomUUID();
      await order.place(orderId, 'ann');
      const items = [{ sku: 'uk.A', quantity: 1, unitPriceMinor: 500 }];
      await order.harness.deliver(StockReserved, { orderId, items, totalMinor: 500, currency: 'GBP' });
      expect(await order.harness.ask(GetOrder, { orderId, buyerId: 'ann' })).toMatchObject({
        items: [{ sku: 'uk.A', quantity: 2, unitPriceMinor: 500 }],
      });
      const { numbers } = await order.harness.ask(getAuditReport('order'), {});
      expect(numbers).toMatchObject({ totalsOff: 1 });
    });

    it('with more of a SKU than an order may have is refused, and nothing is written', async () => {
      const items = [
        { sku: 'uk.A', quantity: 600_000 },
        { sku: 'uk.A', quantity: 600_000 },
      ];
      const request = { orderId: randomUUID(), buyerId: 'ann', items };
      await expect(order.harness.ask(PlaceOrder, request)).rejects.toMatchObject({ code: 'invalid_input' });
      await expect(order.harness.ask(GetOrder, request)).rejects.toMatchObject({ code: 'order_not_found' });
    });
  });

  describe('paid', () => {
    it('is paid once, however often the provider says so', async () => {
      const paid = await order.payable();
      expect(await Promise.all([order.pay(paid), order.pay(paid), order.pay(paid)])).toEqual(
        expect.arrayContaining([{ outcome: 'settled' }, { outcome: 'repeated' }, { outcome: 'repeated' }]),
      );
      expect(await order.harness.publishedOf(OrderPaid, 1)).toMatchObject([
        { orderId: paid.orderId, totalMinor: 1_000, paymentId: paid.paymentId },
      ]);
    });

    it('over another amount settles nothing', async () => {
      const payable = await order.payable();
      await expect(order.pay(payable, { amountMinor: 999 })).rejects.toMatchObject({
        code: 'amount_mismatch',
      });
      expect(await order.statusOf(payable)).toBe('awaiting_payment');
    });

    it('after a decline is paid all the same', async () => {
      const payable = await order.payable();
      expect(await order.pay(payable, { outcome: 'declined' })).toEqual({ outcome: 'declined' });
      expect(await order.pay(payable)).toEqual({ outcome: 'settled' });
    });

    it('at the checkout that is open, also when a decline comes at that moment', async () => {
      const { orderId, buyerId, paymentId } = await order.payable();
      const checkoutUrl = 'http://provider.test/checkout';
      const { database } = order.harness;
      await database.query('UPDATE payment SET checkout_url = $1', [checkoutUrl]);
      await database.query(`
        CREATE FUNCTION decline() RETURNS trigger LANGUAGE plpgsql AS
          $$ BEGIN UPDATE payment SET status = 'declined'; RETURN NULL; END $$;
        CREATE TRIGGER decline AFTER INSERT ON payment EXECUTE FUNCTION decline()`);
      expect(await order.harness.ask(StartPayment, { orderId, buyerId })).toEqual({ paymentId, checkoutUrl });
    });

    it('by two payments keeps one and gives the other back', async () => {
      const first = await order.payable();
      await order.pay(first);
      const second = { ...first, paymentId: await order.openPayment(first.orderId, 1_000) };
      expect(await order.pay(second)).toEqual({ outcome: 'refunding' });
      expect(await order.refundsOf(first)).toMatchObject([{ minor: 1_000, lines: 0 }]);
      expect(await order.statusOf(first)).toBe('paid');
    });
  });

  describe('in a race of pay and cancel', () => {
    it('is paid when the payment comes first, and cannot be cancelled then', async () => {
      const raced = await order.payable();
      const [pay, cancel] = await order.race(
        raced,
        () => order.pay(raced),
        () => order.cancel(raced),
      );
      expect(pay).toEqual(done({ outcome: 'settled' }));
      expect(cancel).toEqual(refusal('wrong_order_state'));
      expect(await order.statusOf(raced)).toBe('paid');
      expect(await order.refundsOf(raced)).toEqual([]);
    });

    it('is cancelled when that comes first, and the money goes back', async () => {
      const raced = await order.payable();
      const [cancel, pay] = await order.race(
        raced,
        () => order.cancel(raced),
        () => order.pay(raced),
      );
      expect(cancel).toEqual(done({ status: 'cancelled' }));
      expect(pay).toEqual(done({ outcome: 'refunding' }));
      expect(await order.statusOf(raced)).toBe('cancelled');
      expect(await order.refundsOf(raced)).toMatchObject([{ minor: 1_000, lines: 0 }]);
      expect(await order.harness.publishedOf(OrderCancelled, 1)).toHaveLength(1);
    });
  });

  describe('in a race of pay and expiry', () => {
    it('is paid when the payment comes first: the timer changes nothing', async () => {
      const raced = await order.payable();
      const [pay] = await order.race(
        raced,
        () => order.pay(raced),
        () => order.expire(raced),
      );
      expect(pay).toEqual(done({ outcome: 'settled' }));
      expect(await order.statusOf(raced)).toBe('paid');
    });

    it('is cancelled when the timer comes first, once, and the money goes back', async () => {
      const raced = await order.payable();
      const [, pay] = await order.race(
        raced,
        () => order.expire(raced),
        () => order.pay(raced),
      );
      expect(pay).toEqual(done({ outcome: 'refunding' }));
      expect(await order.stateOf(raced)).toMatchObject({ status: 'cancelled', reason: 'unpaid' });
      expect(await order.harness.publishedOf(OrderCancelled, 1)).toHaveLength(1);
    });
  });

  it('cancelled by its buyer and by its timer at once is cancelled once', async () => {
    for (const first of ['buyer', 'timer'] as const) {
      const raced = await order.payable();
      const works = [() => order.cancel(raced), () => order.expire(raced)];
      await order.race(raced, ...(first === 'buyer' ? works : works.reverse()));
      const { reason } = await order.stateOf(raced);
      expect(reason).toBe(first === 'buyer' ? 'buyer' : 'unpaid');
    }
    expect(await order.harness.publishedOf(OrderCancelled, 2)).toHaveLength(2);
  });

  describe('refunded', () => {
    it('is taken back once under one id, however often it is asked', async () => {
      const paid = await order.paid();
      const refundId = randomUUID();
      const [one, two] = await order.race(
        paid,
        () => order.refund(paid, refundId),
        () => order.refund(paid, refundId),
      );
      expect([one, two]).toEqual([done({ status: 'refunded' }), done({ status: 'refunded' })]);
      expect(await order.refundsOf(paid)).toEqual([{ id: refundId, minor: 1_000, lines: 1 }]);
      expect(await order.harness.publishedOf(OrderRefunded, 1)).toHaveLength(1);
    });

    it('in parts at the same time never gives back more than was bought', async () => {
      const paid = await order.paid();
      const outcomes = await order.race(
        paid,
        () => order.refund(paid, randomUUID(), 1),
        () => order.refund(paid, randomUUID(), 1),
        () => order.refund(paid, randomUUID(), 1),
      );
      // Which of them comes first does not matter.
      expect(outcomes).toHaveLength(3);
      expect(outcomes).toContainEqual(done({ status: 'paid', refundedMinor: 500 }));
      expect(outcomes).toContainEqual(done({ status: 'refunded', refundedMinor: 1_000 }));
      expect(outcomes).toContainEqual(refusal('wrong_order_state'));
      expect((await order.refundsOf(paid)).map(({ minor }) => minor)).toEqual([500, 500]);
    });

    it('under one id with other items is refused, and with the same again it is the same refund', async () => {
      const paid = await order.paid();
      const [part, rest] = [randomUUID(), randomUUID()];
      await order.refund(paid, part, 1);
      await order.refund(paid, part, 1);
      for (const other of [2, undefined])
        await expect(order.refund(paid, part, other)).rejects.toMatchObject({ code: 'refund_id_taken' });
      await order.refund(paid, rest);
      await order.refund(paid, rest);
      await order.refund(paid, rest, 1);
      await expect(order.refund(paid, rest, 2)).rejects.toMatchObject({ code: 'refund_id_taken' });
      expect((await order.refundsOf(paid)).map(({ minor }) => minor)).toEqual([500, 500]);
    });

    it('under an id of another order is refused', async () => {
      const [mine, other] = [await order.paid(), await order.paid()];
      const refundId = randomUUID();
      await order.refund(mine, refundId);
      await expect(order.refund(other, refundId)).rejects.toMatchObject({ code: 'refund_id_taken' });
      expect(await order.statusOf(other)).toBe('paid');
    });

    it('before it is paid is refused', async () => {
      const payable = await order.payable();
      await expect(order.refund(payable)).rejects.toMatchObject({ code: 'wrong_order_state' });
      expect(await order.refundsOf(payable)).toEqual([]);
    });
  });

  describe('received', () => {
    it('is completed by a buyer who has it, and told once', async () => {
      const shipped = await order.paid();
      await order.ship(shipped);
      const outcomes = await order.race(
        shipped,
        () => order.confirm(shipped),
        () => order.confirm(shipped),
      );
      expect(outcomes).toEqual([done({ status: 'completed' }), refusal('wrong_order_state')]);
      expect(await order.harness.publishedOf(OrderCompleted, 1)).toMatchObject([
        { orderId: shipped.orderId },
      ]);
      expect((await order.stateOf(shipped)).timeline.at(-1)).toMatchObject({ what: 'receipt confirmed' });
    });

    it('cannot be confirmed before it is shipped, nor by somebody else', async () => {
      const paid = await order.paid();
      await expect(order.confirm(paid)).rejects.toMatchObject({ code: 'wrong_order_state' });
      await order.ship(paid);
      await expect(order.confirm({ ...paid, buyerId: 'ben' })).rejects.toMatchObject({
        code: 'order_not_found',
      });
    });

    it('or refunded: whichever comes first', async () => {
      const shipped = await order.paid();
      await order.ship(shipped);
      const [refund, confirm] = await order.race(
        shipped,
        () => order.refund(shipped),
        () => order.confirm(shipped),
      );
      expect(refund).toEqual(done({ status: 'refunded' }));
      expect(confirm).toEqual(refusal('wrong_order_state'));
    });
  });
});
