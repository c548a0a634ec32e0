export { IdempotencyModule } from './idempotency.module.js';
export { KeyedCalls, type KeyedCallLimits } from './keyed-calls.js';
export { CreateKeyedCalls1700000000100 } from './migration.js';
export {
  type Begun,
  beginKeyedCalls,
  type KeptAnswer,
  type KeyedCall,
  MAX_KEYED_CALLS,
  type Settled,
  settleKeyedCalls,
} from './requests.js';
