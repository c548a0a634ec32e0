import { defineFacts } from '../audit/facts.js';

/** What the catalog reports to an audit. */
export const CatalogFacts = defineFacts('catalog', {
  /** Orders that released their reserved stock. */
  released: 'set',
  /** Refunds whose stock was returned. */
  returned: 'set',
  initial: 'number',
  available: 'number',
  reserved: 'number',
  sold: 'number',
  /** SKUs whose holds do not add up to their stock. */
  skusOff: 'number',
  /** SKUs with more stock held than there ever was. */
  oversold: 'number',
});
