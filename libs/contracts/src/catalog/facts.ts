import { defineFacts } from '../audit/facts.js';

/** What the catalogue tells an audit. */
export const CatalogFacts = defineFacts('catalog', {
  /** Orders that gave reserved stock back. */
  released: 'set',
  /** Refunds whose stock came back. */
  returned: 'set',
  initial: 'number',
  available: 'number',
  reserved: 'number',
  sold: 'number',
  /** SKUs whose holds do not add up to their stock. */
  skusOff: 'number',
  /** SKUs of which more is held than there ever was. */
  oversold: 'number',
});
