import { crc32 } from 'node:zlib';
import type { Pool } from 'pg';
import {
  MessageTooLarge,
  type PartitionLag,
  type ReceivedMessage,
  type TopicPartition,
  type TopicSpec,
  UnknownTopic,
  type WireMessage,
} from '#messaging';

/** A place in the log. */
export interface Position extends TopicPartition {
  /** The last position already taken. */
  readonly after: number;
}

interface MessageRow {
  readonly topic: string;
  readonly partition: number;
  readonly position: string;
  readonly key: string;
  /** JSON. */
  readonly headers: string;
  readonly payload: Buffer;
  readonly appended_at: Date;
}

const APPEND = 'SELECT append($1, $2, $3, $4, $5, $6)';

/**
 * The next messages after each position: at most $4 each, and no more than $5 payload bytes each unless the
 * first alone has more. Each position costs one scan of the index (topic, partition, position).
 */
const FETCH = {
  name: 'sluice_fetch',
  text: `
SELECT c.topic, c.partition, m.position, m.key, m.headers, m.payload, m.appended_at
FROM unnest($1::text[], $2::int[], $3::bigint[]) AS c(topic, partition, after)
CROSS JOIN LATERAL (
  SELECT *, sum(octet_length(payload)) OVER (ORDER BY position) - octet_length(payload) AS bytes_before FROM (
    SELECT position, key, headers, payload, appended_at FROM message
    WHERE topic = c.topic AND partition = c.partition AND position > c.after
    ORDER BY position LIMIT $4
  ) AS next
) AS m
WHERE m.bytes_before = 0 OR m.bytes_before + octet_length(m.payload) <= $5
ORDER BY c.topic, c.partition, m.position`,
};

const LAG = `
SELECT a.topic, a.partition, head_of(a.topic, a.partition)::float8 AS head, c.committed::float8 AS committed,
       CASE WHEN a.expires_at > now() THEN a.owner END AS owner,
       (SELECT m.appended_at FROM message m
        WHERE m.topic = a.topic AND m.partition = a.partition AND m.position > c.committed
        ORDER BY m.position LIMIT 1) AS oldest_at
FROM assignment a
CROSS JOIN LATERAL (SELECT committed_of(a.group_name, a.topic, a.partition) AS committed OFFSET 0) AS c
WHERE a.group_name = $1 ORDER BY a.topic, a.partition`;

/** The sequenced log: topics with partitions, each a gapless sequence of positions in commit order. */
export class SequencedLog {
  private readonly partitions = new Map<string, number>();

  constructor(
    private readonly pool: Pool,
    private readonly maxMessageBytes: number,
  ) {}

  async ensureTopics(topics: readonly TopicSpec[]): Promise<void> {
    const names = topics.map(topic => topic.name);
    await this.pool.query(
      `WITH made AS (
         INSERT INTO topic (name, partitions) SELECT * FROM unnest($1::text[], $2::int[]) ORDER BY 1
         ON CONFLICT DO NOTHING RETURNING name, partitions
       ), added AS (
         INSERT INTO partition (topic, partition)
         SELECT name, p FROM made CROSS JOIN LATERAL generate_series(0, partitions - 1) AS p
         RETURNING topic, partition
       )
       INSERT INTO partition_end (topic, partition, generation, head) SELECT topic, partition, 1, 0 FROM added`,
      [names, topics.map(topic => topic.partitions)],
    );
    await this.learn(names);
  }

  /** Appends all messages in order, or none of them; durable when it resolves. */
  async append(messages: readonly WireMessage[]): Promise<void> {
    if (messages.length === 0) return;
    for (const { topic, key, payload } of messages) {
      if (payload.length > this.maxMessageBytes) {
        throw new MessageTooLarge(topic, key, payload.length, this.maxMessageBytes);
      }
    }
    await this.know(messages.map(message => message.topic));
    await this.pool.query(APPEND, [
      messages.map(message => message.topic),
      messages.map(message => crc32(message.key) % this.partitionsOf(message.topic)),
      messages.map(message => message.key),
      messages.map(message => JSON.stringify(message.headers)),
      messages.map(message => message.payload.length),
      Buffer.concat(messages.map(message => message.payload)),
    ]);
  }

  /** @throws UnknownTopic */
  async know(topics: readonly string[]): Promise<void> {
    const unknown = topics.filter(topic => !this.partitions.has(topic));
    if (unknown.length > 0) await this.learn([...new Set(unknown)]);
  }

  async fetch(
    positions: readonly Position[],
    maxMessages: number,
    maxBytes: number,
  ): Promise<{ topic: string; partition: number; messages: ReceivedMessage[] }[]> {
    const { rows } = await this.pool.query<MessageRow>({
      ...FETCH,
      values: [
        positions.map(position => position.topic),
        positions.map(position => position.partition),
        positions.map(position => position.after),
        maxMessages,
        maxBytes,
      ],
    });
    const batches: { topic: string; partition: number; messages: ReceivedMessage[] }[] = [];
    for (const row of rows) {
      const { topic, partition, key, payload } = row;
      const headers = JSON.parse(row.headers) as ReceivedMessage['headers'];
      let batch = batches.at(-1);
      if (batch?.topic !== topic || batch.partition !== partition) {
        batches.push((batch = { topic, partition, messages: [] }));
      }
      const position = Number(row.position);
      batch.messages.push({ topic, key, headers, payload, position, appendedAt: row.appended_at });
    }
    return batches;
  }

  async identity(): Promise<string> {
    const { rows } = await this.pool.query<{ id: string }>('SELECT id FROM log_identity');
    return rows[0]!.id;
  }

  /** Where each partition of the topics ends now. */
  async heads(topics: readonly string[]): Promise<Position[]> {
    const { rows } = await this.pool.query<Position>(
      `SELECT topic, partition, head_of(topic, partition)::float8 AS after FROM partition
       WHERE topic = ANY($1) ORDER BY topic, partition`,
      [topics],
    );
    return rows;
  }

  async lag(group: string): Promise<PartitionLag[]> {
    const { rows } = await this.pool.query<
      Omit<PartitionLag, 'lag' | 'oldestAt'> & { owner: string | null; oldest_at: Date | null }
    >(LAG, [group]);
    return rows.map(({ oldest_at, owner, ...row }) => ({
      ...row,
      lag: row.head - row.committed,
      oldestAt: oldest_at ?? undefined,
      owner: owner ?? undefined,
    }));
  }

  private async learn(names: readonly string[]): Promise<void> {
    const { rows } = await this.pool.query<{ name: string; partitions: number }>(
      'SELECT name, partitions FROM topic WHERE name = ANY($1)',
      [names],
    );
    for (const { name, partitions } of rows) this.partitions.set(name, partitions);
    for (const name of names) this.partitionsOf(name);
  }

  private partitionsOf(topic: string): number {
    const count = this.partitions.get(topic);
    if (count === undefined) throw new UnknownTopic(topic);
    return count;
  }
}
