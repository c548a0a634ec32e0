import { defineFacts } from '../audit/facts.js';

/** What the flash-sale service reports to an audit. */
export const SeckillFacts = defineFacts('seckill', {
  /** With their order, buyer, SKU, quantity and price. */
  reservations: 'set',
  /** Orders whose reservation was given back. */
  released: 'set',
  /** Orders whose reservation was not given back. */
  kept: 'set',
  /** Orders whose reservation is sold. */
  soldOrders: 'set',
  stock: 'number',
  available: 'number',
  reserved: 'number',
  sold: 'number',
  /** Campaigns whose reservations do not add up to their stock. */
  campaignsOff: 'number',
  /** Units reserved beyond the stock. */
  oversold: 'number',
  /** Buyers who exceeded the limit of a campaign. */
  limitsBroken: 'number',
  /** Buyers whose tally differs from their reservations. */
  talliesOff: 'number',
});
