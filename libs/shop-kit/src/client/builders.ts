import { randomUUID } from 'node:crypto';

/** A product as the catalog takes it. */
export interface Product {
  readonly code: string;
  readonly title: string;
  readonly priceMinor: number;
  readonly currency: string;
  readonly stock: number;
}

/** A flash sale as an operator opens it. */
export interface NewCampaign {
  readonly sku: string;
  readonly stock: number;
  readonly perUserLimit: number;
  readonly priceMinor: number;
  readonly startsAt: string;
  readonly endsAt: string;
  readonly mode: string;
  /** How long a buyer may take to pay, in seconds. */
  readonly paymentWindow: number;
}

export interface Item {
  readonly sku: string;
  readonly quantity: number;
}

/** Different each time, so that tests that share a shop do not meet. */
export function unique(prefix: string): string {
  return `${prefix}-${randomUUID().slice(0, 8)}`;
}

/** A product of its own, with a stock of 100. */
export function aProduct(given: Partial<Product> = {}): Product {
  const code = given.code ?? unique('P');
  return { code, title: `Product ${code}`, priceMinor: 1_000, currency: 'GBP', stock: 100, ...given };
}

/** A flash sale of a demo product that is open now and for an hour, one piece for each buyer. */
export function aCampaign(given: Partial<NewCampaign> = {}): NewCampaign {
  return {
    sku: 'demo.PHONE',
    stock: 10,
    perUserLimit: 1,
    priceMinor: 1_999,
    startsAt: new Date(Date.now() - 1_000).toISOString(),
    endsAt: new Date(Date.now() + 3_600_000).toISOString(),
    mode: 'async',
    paymentWindow: 3_600,
    ...given,
  };
}

/** A line of an order: one teapot of the demo. */
export function anItem(given: Partial<Item> = {}): Item {
  return { sku: 'demo.TEAPOT', quantity: 1, ...given };
}
