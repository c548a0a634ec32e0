import { defineFacts } from '../audit/facts.js';

/** What the recommendation service reports to an audit. */
export const RecommendationFacts = defineFacts('recommendation', {
  /** Orders that are in the buyers' profiles. */
  profiled: 'set',
  /** What each buyer has paid for, by SKU, with the quantity. */
  bought: 'set',
  /** Views that were handled and are in no profile. */
  viewsLost: 'number',
});
