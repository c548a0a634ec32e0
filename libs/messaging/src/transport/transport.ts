import type { WireMessage } from '../message/envelope.js';
import type { ReceivedMessage, TopicPartition } from '../message/received-message.js';

/** What a transport supports; the contract suite holds it to each of these. */
export interface TransportCapabilities {
  /** The longest payload it takes, in bytes. */
  readonly maxMessageBytes: number;
}

export interface TopicSpec {
  readonly name: string;
  /** Used when the topic is created; an existing topic keeps its number. */
  readonly partitions: number;
}

/** Positions, both ends included, whose messages the queue once had. */
export interface LostRange {
  readonly from: number;
  readonly to: number;
}

/** Consecutive messages of one partition. */
export interface Batch extends TopicPartition {
  /** Grows whenever the partition changes hands. */
  readonly epoch: number;
  readonly messages: readonly ReceivedMessage[];
  /**
   * Positions among or before the messages that were lost. Other positions without a message never had one: some
   * transports have such gaps.
   */
  readonly lost?: readonly LostRange[];
  /**
   * Aborted when the partition is no longer ours, or soon will not be. What is not done is for the next
   * owner.
   */
  readonly signal: AbortSignal;
}

/** Handles a batch. Resolved: the batch is done. Rejected: it is delivered again, after a pause. */
export type BatchHandler = (batch: Batch) => Promise<void>;

export interface SubscribeOptions {
  /** Competing subscribers of the same group share its messages. */
  readonly group: string;
  readonly topics: readonly string[];
  /** `competing`: one copy for the group. `broadcast`: one for every instance, from now on, nothing kept. */
  readonly mode: 'competing' | 'broadcast';
  /** Where a new group begins. */
  readonly startFrom: 'start' | 'now';
  /** Most messages in a batch. A partition's next batch is handed over when this one is done. */
  readonly maxBatch: number;
  /** Most payload bytes in a batch; a batch has at least one message. */
  readonly maxBatchBytes?: number;
}

export interface TransportSubscription {
  /** Stops taking messages, waits for batches in progress, and hands its partitions over. */
  close(): Promise<void>;
}

export interface PartitionLag extends TopicPartition {
  /** The last position appended. */
  readonly head: number;
  /** The last position done. */
  readonly committed: number;
  /** `head - committed`: the messages still to do. */
  readonly lag: number;
  /** When the oldest of them was appended. */
  readonly oldestAt: Date | undefined;
  /** The instance that owns the partition. */
  readonly owner: string | undefined;
}

/**
 * The port that every transport implements.
 *
 * Guarantees: a resolved `publish` survives a crash; messages of one key keep the order in which they were
 * published; every group gets each message at least once; a message counts as done only after its handler
 * resolved.
 */
export interface Transport {
  readonly capabilities: TransportCapabilities;
  ensureTopics(topics: readonly TopicSpec[]): Promise<void>;
  /**
   * Names the queue permanently. Under another name, the same positions hold other messages.
   */
  identity(): Promise<string>;
  /**
   * Appends the messages, those of one key in order. Rejected: some may have been appended, but none before
   * an earlier one of its key.
   * @throws MessageTooLarge, UnknownTopic; any other error is transient and may be tried again.
   */
  publish(messages: readonly WireMessage[]): Promise<void>;
  subscribe(options: SubscribeOptions, handler: BatchHandler): Promise<TransportSubscription>;
  lag(group: string): Promise<readonly PartitionLag[]>;
  /** Resolves when the queue answers; rejects with the reason when it does not. */
  check(): Promise<void>;
  /** Closes every subscription, then the connections. */
  close(): Promise<void>;
}

export class MessageTooLarge extends Error {
  readonly code = 'message_too_large';
  constructor(
    readonly topic: string,
    readonly key: string,
    readonly bytes: number,
    readonly limit: number,
  ) {
    super(
      `a message of ${bytes} bytes to ${topic} (key ${key}) is over the limit of ${limit}; ` +
        `send a reference to the data, or split it`,
    );
  }
}

export class UnknownTopic extends Error {
  readonly code = 'unknown_topic';
  constructor(readonly topic: string) {
    super(`topic ${topic} does not exist; call ensureTopics first`);
  }
}
