import { MessagingTables1700000000001 } from './1700000000001-messaging-tables.js';
import { BlockedKeys1700000000004 } from './1700000000004-blocked-keys.js';
import { CrashGuard1700000000003 } from './1700000000003-crash-guard.js';
import { LostMessages1700000000006 } from './1700000000006-lost-messages.js';
import { OutgoingDeadLetters1700000000005 } from './1700000000005-outgoing-dead-letters.js';
import { OperatorTables1700000000002 } from './1700000000002-operator-tables.js';
import { TokenBuckets1700000000007 } from './1700000000007-token-buckets.js';

/** The migrations of the library's own tables, in their order. A service puts them before its own. */
export const messagingMigrations = [
  MessagingTables1700000000001,
  OperatorTables1700000000002,
  CrashGuard1700000000003,
  BlockedKeys1700000000004,
  OutgoingDeadLetters1700000000005,
  LostMessages1700000000006,
  TokenBuckets1700000000007,
];
