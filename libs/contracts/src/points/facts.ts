import { defineFacts } from '../audit/facts.js';

/** What the points service reports to an audit. */
export const PointsFacts = defineFacts('points', {
  /** Orders that earned points. */
  awarded: 'set',
  /** Refunds that took points back. */
  reversed: 'set',
  /** Orders with the points that they earned, and with those that they lost again. */
  earned: 'set',
  lost: 'set',
});
