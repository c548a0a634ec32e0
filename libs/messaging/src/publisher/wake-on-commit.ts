import type { DataSource, EntitySubscriberInterface, TransactionCommitEvent } from 'typeorm';
import { PUBLISHED, SCHEDULED } from './outbox.js';

/** Wakes the relay after, and only after, a transaction that published has committed; the timers likewise. */
export function wakeOnCommit(database: DataSource, relay: { wake(): void }, timers: { wake(): void }): void {
  const subscriber: EntitySubscriberInterface = {
    afterTransactionCommit({ queryRunner }: TransactionCommitEvent) {
      if (queryRunner.data[PUBLISHED] === true) relay.wake();
      if (queryRunner.data[SCHEDULED] === true) timers.wake();
      queryRunner.data[PUBLISHED] = queryRunner.data[SCHEDULED] = false;
    },
  };
  database.subscribers.push(subscriber);
}
