import type { Buyer } from '#shop-kit';
import type { Invoice } from './invoices.js';

export interface Purchase {
  readonly orderId: string;
  readonly buyer: Buyer;
  /** What is left of it, by stock code. */
  readonly items: Map<string, number>;
}

export interface Return {
  readonly purchase: Purchase;
  readonly items: ReadonlyMap<string, number>;
}

export interface Match {
  /** What comes back, by order. */
  readonly returns: readonly Return[];
  /** How many pieces the customer did not buy in this file, or has already returned. */
  readonly unmatched: number;
}

/** What each customer has bought and not returned, to find what a cancellation takes back. */
export class Purchases {
  private readonly byCustomer = new Map<string, Purchase[]>();

  /** A guest cannot be recognized again, so nothing is remembered about one. */
  add(customer: string, purchase: Purchase): void {
    if (customer === '') return;
    const list = this.byCustomer.get(customer) ?? [];
    this.byCustomer.set(customer, list);
    list.push(purchase);
  }

  /** Deducts a cancellation's goods from what its customer bought, the latest orders first. */
  take({ customer, items }: Invoice): Match {
    const wanted = new Map(items);
    const returns: Return[] = [];
    for (const purchase of (this.byCustomer.get(customer) ?? []).toReversed()) {
      const back = new Map<string, number>();
      for (const [code, quantity] of wanted) {
        const taken = Math.min(quantity, purchase.items.get(code) ?? 0);
        if (taken === 0) continue;
        back.set(code, taken);
        purchase.items.set(code, purchase.items.get(code)! - taken);
        wanted.set(code, quantity - taken);
      }
      if (back.size > 0) returns.push({ purchase, items: back });
    }
    return { returns, unmatched: [...wanted.values()].reduce((sum, quantity) => sum + quantity, 0) };
  }
}
