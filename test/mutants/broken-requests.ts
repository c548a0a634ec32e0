import {
  BlockBuyer,
  CancelOrder,
  CancelPublication,
  ChangeStock,
  ConfirmReceipt,
  PausePublication,
  PlaceOrder,
  RefundOrder,
  ReserveStock,
  ResumePublication,
  SettlePayment,
  StageChunk,
  StartPayment,
} from '#contracts';
import { ControlPublicationUseCase } from '../../apps/catalog/src/publish/control-publication.js';
import { Publications } from '../../apps/catalog/src/publish/publications.js';
import { ChangeStockUseCase } from '../../apps/catalog/src/stock/change-stock.js';
import { CancelOrderUseCase } from '../../apps/order/src/cancel/cancel-order.js';
import { RefundOrderUseCase } from '../../apps/order/src/payment/refund-order.js';
import { SettlePaymentUseCase } from '../../apps/order/src/payment/settle-payment.js';
import { StartPaymentUseCase } from '../../apps/order/src/payment/start-payment.js';
import { PlaceOrderUseCase } from '../../apps/order/src/place/place-order.js';
import { ConfirmReceiptUseCase } from '../../apps/order/src/receipt/confirm-receipt.js';
import { BlockedBuyers } from '../../apps/seckill/src/reserve/blocked-buyers.js';
import { ClickBatcher } from '../../apps/seckill/src/reserve/click-batcher.js';
import { ReserveStockUseCase } from '../../apps/seckill/src/reserve/reserve-stock.js';
import { type BreakRequest, alterQuery, doTwice, onlyAnswer, tellNobody } from './break-requests.js';
import type { Mutant } from './mutant.js';

const CHANGES = 'SKUs whose stock is not what was published and changed: 0';
const changesStock = (sql: string) => sql.startsWith('UPDATE stock SET initial');
const halfOf = (value: unknown) => Math.floor((value as number) / 2);

/** Every way to break what moves money or stock on a request. */
export const BROKEN_REQUESTS: readonly Mutant[] = [
  told(
    SettlePayment,
    'not done',
    onlyAnswer(['order', SettlePaymentUseCase, 'settle'], { outcome: 'settled' }),
    ['the provider was paid as often as the shop', 'each payment is the provider’s, with its amount'],
  ),
  told(SettlePayment, 'done and not told', tellNobody(['order', SettlePaymentUseCase, 'settle']), [
    'every paid order has exactly one points entry',
    'every paid order has exactly one merchant delivery',
  ]),
  told(CancelOrder, 'done and not told', tellNobody(['order', CancelOrderUseCase, 'cancel']), [
    'every cancelled order has exactly one notice',
    'every cancelled ordinary order gave its stock back once',
  ]),
  told(RefundOrder, 'done and not told', tellNobody(['order', RefundOrderUseCase, 'refund']), [
    'refunds still due: 0',
    'every refund has exactly one points reversal',
  ]),
  told(PlaceOrder, 'done and not told', tellNobody(['order', PlaceOrderUseCase, 'place']), [
    'every placed order has exactly one notice',
    'ordinary orders still waiting for stock: 0',
  ]),
  told(ReserveStock, 'done and not told', tellNobody(['seckill', ReserveStockUseCase, 'reserve']), [
    'every reservation has exactly one order',
  ]),
  told(StageChunk, 'done and not told', tellNobody(['catalog', Publications, 'stage']), [
    'parts of publications still to be published: 0',
  ]),
  told(
    StartPayment,
    'done for half of the amount',
    alterQuery(
      'order',
      sql => sql.includes('INSERT INTO payment'),
      (query, sql, [id, order, amount, currency]) => query(sql, [id, order, halfOf(amount), currency]),
    ),
    ['orders paid with another amount than their total: 0'],
  ),
  told(
    ChangeStock,
    'noted and not done',
    alterQuery('catalog', changesStock, () => Promise.resolve([])),
    [CHANGES],
  ),
  told(
    ChangeStock,
    'noted once and done twice',
    alterQuery('catalog', changesStock, async (query, sql, values) => {
      await query(sql, values);
      return query(sql, values);
    }),
    [CHANGES],
  ),
  told(
    ChangeStock,
    'done by half',
    alterQuery('catalog', changesStock, (query, sql, [sku, by]) => query(sql, [sku, halfOf(by)])),
    [CHANGES],
  ),
  harmless(SettlePayment, doTwice(['order', SettlePaymentUseCase, 'settle']), 'a payment is settled once'),
  harmless(
    CancelOrder,
    doTwice(['order', CancelOrderUseCase, 'cancel']),
    'a cancelled order is not cancelled',
  ),
  harmless(RefundOrder, doTwice(['order', RefundOrderUseCase, 'refund']), 'its id makes it the same refund'),
  harmless(PlaceOrder, doTwice(['order', PlaceOrderUseCase, 'place']), 'its id makes it the same order'),
  harmless(
    StartPayment,
    doTwice(['order', StartPaymentUseCase, 'start']),
    'the open checkout is given again',
  ),
  harmless(
    ConfirmReceipt,
    doTwice(['order', ConfirmReceiptUseCase, 'confirm']),
    'only a shipped order is received',
  ),
  harmless(ReserveStock, doTwice(['seckill', ClickBatcher, 'decide']), 'its id makes it the same click'),
  harmless(BlockBuyer, doTwice(['seckill', BlockedBuyers, 'block']), 'a buyer is blocked once'),
  harmless(
    ChangeStock,
    doTwice(['catalog', ChangeStockUseCase, 'change']),
    'its id makes it the same change',
  ),
  harmless(StageChunk, doTwice(['catalog', Publications, 'stage']), 'a part is stored once'),
  {
    handler: ResumePublication.type,
    way: 'done and not told',
    told: 'the next part that arrives, of whichever publication, has all handed over that waits',
    start: tellNobody(['catalog', ControlPublicationUseCase, 'resume']),
  },
  told(
    CancelPublication,
    'noted and not done',
    alterQuery(
      'catalog',
      sql => sql.includes('SET dropped_at'),
      () => Promise.resolve([]),
    ),
    ['cancelled publications that do not add up: 0'],
  ),
  harmless(PausePublication, control('pause'), 'a paused publication is not paused'),
  harmless(ResumePublication, control('resume'), 'a resumed publication is not resumed'),
  harmless(CancelPublication, control('cancel'), 'a cancelled publication is not cancelled'),
];

function control(method: keyof ControlPublicationUseCase): BreakRequest {
  return doTwice(['catalog', ControlPublicationUseCase, method]);
}

function told(
  { type }: { readonly type: string },
  way: string,
  start: BreakRequest,
  invariants: readonly string[],
): Mutant {
  return { handler: type, way, told: invariants, start };
}

function harmless({ type }: { readonly type: string }, start: BreakRequest, why: string): Mutant {
  return { handler: type, way: 'done twice', told: why, start };
}
