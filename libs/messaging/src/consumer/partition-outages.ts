import {
  partitionName,
  type ReceivedMessage,
  type TopicPartition,
  typeOf,
} from '../message/received-message.js';
import { countHandled } from './handled-types.js';
import type { Subscription } from './subscription.js';

/** What looks like an outage of a partition's messages. */
export interface PartitionOutage {
  /** Most messages in one transaction, until a batch goes through. */
  readonly atOnce: number;
  /** How often in a row the first message met it although it was alone in its transaction. */
  readonly triedAlone: number;
  /** Where that message, or skipped ones before it, stand. */
  readonly from: number;
  readonly error: unknown;
  readonly type: string;
  /** Whether the next round begins with a probe. */
  readonly probesFirst: boolean;
  /** How many messages of that type this process had handled when it began. */
  readonly handledBefore: number;
}

/**
 * The partitions of a subscription whose messages meet an outage. A dependency that takes part of a batch would fail
 * the whole batch forever: after each failure fewer messages are tried in one transaction, down to one. Each batch
 * that goes through doubles them again.
 */
export class PartitionOutages {
  private readonly outages = new Map<string, PartitionOutage>();

  constructor(private readonly subscription: Subscription) {}

  /** Most messages to try in one transaction. */
  atOnce(place: TopicPartition): number {
    return this.outages.get(partitionName(place))?.atOnce ?? this.subscription.batch;
  }

  /** @param messages those of the transaction that met the outage */
  note(place: TopicPartition, messages: readonly ReceivedMessage[], error: unknown): void {
    const known = this.outages.get(partitionName(place));
    const tried = messages.filter(message => this.subscription.routes.has(typeOf(message)));
    const type = tried[0] ? typeOf(tried[0]) : '';
    this.outages.set(partitionName(place), {
      atOnce: Math.max(1, Math.floor(Math.min(this.atOnce(place), tried.length) / 4)),
      triedAlone: tried.length === 1 ? (known?.triedAlone ?? 0) + 1 : 0,
      from: messages[0]!.position,
      error,
      type,
      probesFirst: false,
      handledBefore: known?.type === type ? known.handledBefore : countHandled(this.subscription, type),
    });
  }

  /** The outage that this error is, if it was met by a message that was alone. */
  triedAlone(place: TopicPartition, error: unknown): PartitionOutage | undefined {
    const outage = this.outages.get(partitionName(place));
    return outage !== undefined && outage.error === error && outage.triedAlone > 0 ? outage : undefined;
  }

  /**
   * The probe met a circuit that the suspects had opened before it. The next round begins with the probe, so that the
   * one call that such a circuit lets through is that of a witness.
   */
  probeFirst(place: TopicPartition): void {
    const outage = this.outages.get(partitionName(place));
    if (outage !== undefined) this.outages.set(partitionName(place), { ...outage, probesFirst: true });
  }

  /** The outage whose probe is due before anything else, once. */
  takeDueProbe(place: TopicPartition): PartitionOutage | undefined {
    const outage = this.outages.get(partitionName(place));
    if (outage === undefined || !outage.probesFirst) return undefined;
    this.outages.set(partitionName(place), { ...outage, probesFirst: false });
    return outage;
  }

  /** A batch went through. */
  end(place: TopicPartition): void {
    const outage = this.outages.get(partitionName(place));
    if (outage === undefined) return;
    const atOnce = outage.atOnce * 2;
    if (atOnce >= this.subscription.batch) this.forget(place);
    else this.outages.set(partitionName(place), { ...outage, atOnce, triedAlone: 0 });
  }

  forget(place: TopicPartition): void {
    this.outages.delete(partitionName(place));
  }
}
