import type { EntityManager, EntitySubscriberInterface, TransactionCommitEvent } from 'typeorm';

const WAITING = 'sluice.after-commit';
type Waiting = Set<() => void>;

const subscriber: EntitySubscriberInterface = {
  afterTransactionCommit: ({ queryRunner: { data, isTransactionActive } }: TransactionCommitEvent) => {
    // It was a savepoint of a transaction that goes on.
    if (isTransactionActive) return;
    const waiting = data[WAITING] as Waiting | undefined;
    data[WAITING] = undefined;
    for (const call of waiting ?? []) call();
  },
};

/**
 * Calls the function once when the transaction has committed, and not if it is rolled back. It is a hint, kept in memory
 * alone: a process that dies after the commit does not call it, so whoever relies on it also looks now and then.
 */
export function afterCommit(tx: EntityManager, call: () => void): void {
  const { data, dataSource } = tx.queryRunner!;
  const { subscribers } = dataSource;
  // A DataSource that is initialized again has forgotten it.
  if (!subscribers.includes(subscriber)) subscribers.push(subscriber);
  ((data[WAITING] ??= new Set()) as Waiting).add(call);
}
