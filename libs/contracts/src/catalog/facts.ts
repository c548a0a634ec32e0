import { defineFacts } from '../audit/facts.js';

/** What the catalog reports to an audit. */
export const CatalogFacts = defineFacts('catalog', {
  /** Orders that released their reserved stock. */
  released: 'set',
  /** Refunds whose stock was returned. */
  returned: 'set',
  /** Lines of orders, with SKU and quantity, by what became of their stock. */
  linesReserved: 'set',
  linesSold: 'set',
  linesReleased: 'set',
  /** Lines of refunds. */
  linesReturned: 'set',
  initial: 'number',
  available: 'number',
  reserved: 'number',
  sold: 'number',
  /** SKUs whose holds do not add up to their stock. */
  skusOff: 'number',
  /** SKUs with more stock held than there ever was. */
  oversold: 'number',
  /** Lines whose returned units differ from their refunds. */
  returnsOff: 'number',
  /** SKUs whose stock is not what it was opened with and what was changed by hand. */
  changesOff: 'number',
  /** Parts of publications that are stored and not published, without those of paused and cancelled ones. */
  chunksLeft: 'number',
  /** Products that have changed, and nobody was told yet. */
  newsWaiting: 'number',
  /** Publications that an operator has paused. */
  publicationsPaused: 'number',
  /** Cancelled publications of which a part is neither published nor dropped. */
  cancelledOff: 'number',
  /** Products that are registered and were left without pictures, without a page, or not on sale. */
  picturesMissing: 'number',
  pagesMissing: 'number',
  notOnSale: 'number',
  /** Stores whose newest publication has rows that are neither in the catalog nor rejected. */
  rowsLost: 'number',
});
