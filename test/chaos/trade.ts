import { type Buyer, CallFailed, type ShopClient } from '#shop-kit';

/** Where buyers trade, and who hears of it. */
export interface Market {
  readonly shop: ShopClient;
  readonly say: (line: string) => void;
  /** Called when the shoppers of a campaign are about to click. */
  readonly onRush: () => void;
  /** Called for each order that is paid. */
  readonly onPaid: () => void;
}

export interface Item {
  readonly sku: string;
  readonly quantity: number;
}

/** Gives the items back, or all that is left of the order. */
export async function refund(buyer: Buyer, orderId: string, items?: readonly Item[]): Promise<void> {
  const answer = await buyer.refund(orderId, items);
  if (answer.status !== 200) throw new CallFailed('POST', `/api/orders/${orderId}/refund`, answer);
}
