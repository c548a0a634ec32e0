import type { Invoice } from './invoices.js';

export interface Purchase {
  readonly items: ReadonlyMap<string, number>;
  readonly orderId: string;
  readonly buyerToken: string;
}

export type Match =
  { readonly kind: 'whole'; readonly purchase: Purchase } | { readonly kind: 'part' | 'none' };

/** What each customer has bought and not given back, to find what a cancellation takes back. */
export class Purchases {
  private readonly byCustomer = new Map<string, Purchase[]>();

  add(customer: string, purchase: Purchase): void {
    const list = this.byCustomer.get(customer) ?? [];
    this.byCustomer.set(customer, list);
    list.push(purchase);
  }

  /**
   * The latest order that has just what the cancellation takes back, taken off the list; or whether it is a part
   * of some order. The shop takes whole orders back.
   */
  take({ customer, items }: Invoice): Match {
    const list = this.byCustomer.get(customer) ?? [];
    const at = list.findLastIndex(
      each => each.items.size === items.size && covers(each.items, items, (a, b) => a === b),
    );
    if (at >= 0) return { kind: 'whole', purchase: list.splice(at, 1)[0]! };
    return { kind: list.some(each => covers(each.items, items, (a, b) => a >= b)) ? 'part' : 'none' };
  }
}

function covers(
  bought: ReadonlyMap<string, number>,
  returned: ReadonlyMap<string, number>,
  fits: (bought: number, returned: number) => boolean,
): boolean {
  return [...returned].every(([code, quantity]) => fits(bought.get(code) ?? 0, quantity));
}
