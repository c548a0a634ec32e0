import type { Experiment } from './frame/experiment.js';
import exactlyOneEffect from './exactly-one-effect/experiment.js';
import flashSale from './flash-sale/experiment.js';
import orderPerKey from './order-per-key/experiment.js';
import outageAndSwitch from './outage-and-switch/experiment.js';
import poisonMessage from './poison-message/experiment.js';
import rollingRestart from './rolling-restart/experiment.js';
import syncAsyncQueue from './sync-async-queue/experiment.js';
import transactionalPublish from './transactional-publish/experiment.js';

/** Every experiment, in the order in which they are best read. */
export const EXPERIMENTS: readonly Experiment[] = [
  transactionalPublish,
  exactlyOneEffect,
  orderPerKey,
  poisonMessage,
  outageAndSwitch,
  flashSale,
  syncAsyncQueue,
  rollingRestart,
];
