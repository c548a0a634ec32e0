import { setTimeout } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import {
  BackgroundTask,
  type LostRange,
  pauseAfter,
  type ReadPosition,
  type ReceivedMessage,
  type Turn,
} from '#messaging';
import { type KafkaClient, leadersOf, offsetAt } from './client.js';
import { isStale, protocolError } from './errors.js';
import {
  type Cluster,
  type FetchedPartition,
  type FetchedRecord,
  READ_COMMITTED,
  RecordFilter,
} from './kafkajs.js';
import { LIMITS, PACE, RETRY } from './limits.js';

/** What was read of a partition and is not yet done. */
interface Prefetched {
  readonly topic: string;
  readonly partition: number;
  messages: ReceivedMessage[];
  bytes: number;
  /** The last position read: the offset to continue from. */
  read: number;
  /** How many bytes to ask for, as the broker stores them; adjusted by what the last fetch brought. */
  allowance: number;
  /** Whether the log is no longer the one that was read before. */
  replaced?: boolean;
  /** Not to be read before this time of `performance.now()`: it could not be decoded. */
  restsUntil?: number;
}

export interface FetcherOptions {
  readonly topics: readonly string[];
  /** About how many messages to read ahead. */
  readonly ahead: number;
  /** Where to continue when the log no longer has a position: at its start, or at its end. */
  readonly whenGone: 'start' | 'end';
  /** Removes the prefix from a topic name. */
  readonly nameOf: (topic: string) => string;
}

/**
 * Reads partitions ahead of their handlers. Each leader gets one request at a time, which waits at the broker
 * until there are messages. A partition whose handler is behind is not read.
 */
export class Fetcher {
  private readonly logger = new Logger('KafkaFetcher');
  private readonly task: BackgroundTask;
  private readonly prefetched = new Map<ReadPosition, Prefetched>();
  private readonly asked = new Set<number>();
  private failures = 0;
  private leaderless = false;

  constructor(
    private readonly client: KafkaClient,
    private readonly options: FetcherOptions,
    private readonly onMessages: () => void,
  ) {
    this.task = new BackgroundTask(() => this.turn(), {
      backoff: RETRY,
      onError: (error, pauseMs) => this.complain(error, pauseMs),
    });
  }

  start(): void {
    this.task.start();
  }

  /** A handler has finished something: there may be room again. */
  wake(): void {
    this.task.wake();
  }

  /** Reads these from now on, and nothing else. */
  keep(positions: readonly ReadPosition[]): void {
    for (const position of this.prefetched.keys())
      if (!positions.includes(position)) this.prefetched.delete(position);
    for (const position of positions) {
      if (this.prefetched.has(position)) continue;
      const { topic, partition, after } = position;
      this.prefetched.set(position, {
        topic,
        partition,
        messages: [],
        bytes: 0,
        read: after,
        allowance: LIMITS.firstFetchBytes,
      });
    }
    this.wake();
  }

  /** The messages after the position, up to the limits. They stay until the position passes them. */
  peek(position: ReadPosition, maxMessages: number, maxBytes: number): ReceivedMessage[] {
    const buffer = this.prefetched.get(position);
    if (buffer === undefined) return [];
    const done = buffer.messages.findIndex(message => message.position > position.after);
    const gone = buffer.messages.splice(0, done < 0 ? buffer.messages.length : done);
    buffer.bytes -= bytesOf(gone);
    let bytes = 0;
    const fits = buffer.messages.slice(0, maxMessages).findIndex(({ payload }, at) => {
      bytes += payload.length;
      return at > 0 && bytes > maxBytes;
    });
    return buffer.messages.slice(0, fits < 0 ? maxMessages : fits);
  }

  async stop(): Promise<void> {
    await this.task.stop();
  }

  private async turn(): Promise<Turn> {
    const topics = this.prefetched.size === 0 ? [] : this.options.topics;
    await this.client.useTopics(topics, async cluster => {
      // A partition without a leader gets one soon; the cached metadata would stay valid for longer than
      // that.
      if (this.leaderless) await cluster.refreshMetadata();
      this.ask(cluster);
    });
    return this.leaderless || this.resting ? PACE.lastRetryMs : PACE.metadataMs;
  }

  /** Sends a fetch to each leader that has none in progress. */
  private ask(cluster: Cluster): void {
    const all = [...this.prefetched.values()];
    this.leaderless = false;
    const byLeader = Map.groupBy(
      all,
      ({ topic, partition }) => leadersOf(cluster, topic).get(partition) ?? -1,
    );
    for (const [nodeId, ofLeader] of byLeader) {
      const wanted = ofLeader.filter(each => this.isWanted(each));
      if (nodeId < 0) this.leaderless = true;
      if (nodeId < 0 || wanted.length === 0 || this.asked.has(nodeId)) continue;
      this.asked.add(nodeId);
      const wait = wanted.length < ofLeader.length ? PACE.fetchWaitBehindMs : PACE.fetchWaitMs;
      void this.fetch(nodeId, wanted, wait).finally(() => {
        this.asked.delete(nodeId);
        this.wake();
      });
    }
  }

  private get resting(): boolean {
    return [...this.prefetched.values()].some(({ restsUntil = 0 }) => restsUntil > performance.now());
  }

  private isWanted({ bytes, messages, replaced = false, restsUntil = 0 }: Prefetched): boolean {
    return (
      !replaced &&
      restsUntil <= performance.now() &&
      bytes < LIMITS.prefetchBytes &&
      messages.length < this.options.ahead
    );
  }

  private async fetch(nodeId: number, wanted: readonly Prefetched[], maxWaitTime: number): Promise<void> {
    const from = new Map(wanted.map(each => [each, each.read]));
    try {
      const { responses } = await this.client.use(async cluster => {
        const broker = await cluster.findBroker({ nodeId });
        return broker.fetch({
          isolationLevel: READ_COMMITTED,
          maxWaitTime,
          minBytes: 1,
          maxBytes: wanted.reduce((sum, { allowance }) => sum + allowance, 0),
          topics: [...Map.groupBy(wanted, ({ topic }) => topic)].map(([topic, partitions]) => ({
            topic,
            partitions: partitions.map(({ partition, read, allowance }) => ({
              partition,
              fetchOffset: String(read),
              maxBytes: allowance,
            })),
          })),
        });
      });
      this.failures = 0;
      if (this.task.stopping) return;
      for (const { topicName, partitions } of responses) {
        for (const data of partitions) {
          const buffer = wanted.find(each => each.topic === topicName && each.partition === data.partition);
          if (buffer !== undefined && buffer.read === from.get(buffer)) this.store(buffer, data);
        }
      }
      this.onMessages();
    } catch (error) {
      if (protocolError(error) === 'OFFSET_OUT_OF_RANGE') {
        await this.findPlaces(wanted).catch(() => undefined);
      } else if (!isStale(error)) {
        await this.isolate(nodeId, wanted, error);
        return;
      }
      await this.rest(error);
    }
  }

  /** Part of the response cannot be decoded: only the partition that it belongs to must wait. */
  private async isolate(nodeId: number, wanted: readonly Prefetched[], error: unknown): Promise<void> {
    const [only] = wanted;
    if (only !== undefined && wanted.length === 1) {
      this.logger.error(
        `${only.topic}/${only.partition} cannot be read at offset ${only.read}: ${String(error)}; ` +
          'trying again, no message is skipped',
      );
      only.restsUntil = performance.now() + PACE.unreadableMs;
      return;
    }
    for (const each of wanted) await this.fetch(nodeId, [each], 0);
  }

  private store(buffer: Prefetched, data: FetchedPartition): void {
    const last = data.messages.at(-1);
    if (last === undefined) return;
    const { messages } = new RecordFilter(buffer.topic, String(buffer.read), data);
    const received = messages.map(record => toMessage(this.options.nameOf(buffer.topic), record));
    for (const message of received) buffer.messages.push(message);
    const bytes = bytesOf(received);
    buffer.bytes += bytes;
    // Adjust toward the size to read ahead: a few stored bytes can become many.
    const towards = Math.min(2, Math.max(0.1, LIMITS.prefetchBytes / Math.max(bytes, 1)));
    const allowance = Math.round(buffer.allowance * towards);
    buffer.allowance = Math.min(LIMITS.fetchBytes, Math.max(LIMITS.leastFetchBytes, allowance));
    buffer.read = Math.max(buffer.read, Number(last.offset) + 1);
  }

  /** Retention has passed a position: what it removed is gone, even if it had not been read. */
  private async findPlaces(wanted: readonly Prefetched[]): Promise<void> {
    await this.client.useTopics(
      wanted.map(({ topic }) => topic),
      async cluster => {
        for (const buffer of wanted) {
          const { topic, partition, read } = buffer;
          const first = await offsetAt(cluster, topic, partition, 'start');
          const end = await offsetAt(cluster, topic, partition, 'end');
          if (read >= first && read <= end) continue;
          if (read > end && this.options.whenGone === 'start') {
            // Going back would deliver messages at positions that count as done: they would be dropped
            // unseen.
            this.logger.error(
              `${topic}/${partition} ends at ${end} but is done up to ${read}: the topic was replaced. ` +
                'Give the services another prefix, or restore the topic',
            );
            buffer.replaced = true;
            continue;
          }
          const place = this.options.whenGone === 'start' ? first : end;
          this.logger.error(
            `${topic}/${partition} starts at ${first} and was read to ${read}: ${first - read} messages were ` +
              'removed by retention before they were read',
          );
          this.noteLost(buffer, { from: read + 1, to: place });
          buffer.read = place;
        }
      },
    );
  }

  private noteLost(buffer: Prefetched, range: LostRange): void {
    for (const [position, each] of this.prefetched)
      if (each === buffer) position.lost = [...(position.lost ?? []), range];
  }

  /** Pauses after a failed fetch; its leader is not asked again before the end of the pause. */
  private async rest(error: unknown): Promise<void> {
    if (this.task.stopping) return;
    this.failures += 1;
    const pause = Math.round(pauseAfter(this.failures, RETRY));
    this.complain(error, pause);
    await setTimeout(pause, undefined, { signal: this.task.signal }).catch(() => undefined);
  }

  private complain(error: unknown, pauseMs: number): void {
    this.logger.warn(`reading failed, trying again in ${pauseMs} ms: ${String(error)}`);
  }
}

/** A position counts from 1: it is the offset of the next message. */
function toMessage(
  topic: string,
  { offset, timestamp, key, value, headers }: FetchedRecord,
): ReceivedMessage {
  return {
    topic,
    key: key?.toString() ?? '',
    headers: Object.fromEntries(
      Object.entries(headers ?? {}).map(([name, text]) => [
        name,
        String(Array.isArray(text) ? text.at(-1) : text),
      ]),
    ),
    payload: value ?? Buffer.alloc(0),
    position: Number(offset) + 1,
    appendedAt: new Date(Number(timestamp)),
  };
}

function bytesOf(messages: readonly ReceivedMessage[]): number {
  return messages.reduce((sum, { payload }) => sum + payload.length, 0);
}
