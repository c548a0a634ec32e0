import { channel } from 'node:diagnostics_channel';

/** Progress of a subscription, for metrics and for tests that wait for it. */
export interface SettledSignal {
  readonly subscription: string;
  readonly topic: string;
  readonly partition: number;
  /** The last position settled. */
  readonly position: number;
  readonly handled: number;
  readonly skipped: number;
  readonly duplicate: number;
  /** Parked to be retried later. They are counted once more then, under their final outcome. */
  readonly parked: number;
  readonly dead: number;
}

/** A transaction of a subscription, at one of its steps. */
export interface StepSignal {
  readonly subscription: string;
  readonly topic: string;
  readonly partition: number;
}

export interface FailedSignal {
  readonly subscription: string;
  readonly topic: string;
  readonly partition: number;
  /** How many messages were in the failed transaction. */
  readonly size: number;
  readonly error: unknown;
}

/**
 * Published when the messages have their receipts, or a parked one is locked, before any handler is called.
 */
export const claimedChannel = channel('sluice:consumer:claimed');
/** Published when everything is written and nothing is committed yet. */
export const handledChannel = channel('sluice:consumer:handled');
/** Published after the commit, before the transport is notified. */
export const settledChannel = channel('sluice:consumer:settled');
/** Published after the rollback. */
export const failedChannel = channel('sluice:consumer:failed');
