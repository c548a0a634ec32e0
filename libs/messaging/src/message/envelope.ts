import type { EventDefinition } from './define-event.js';
import { childOf, currentTraceparent } from './trace.js';
import { uuidv7 } from './uuid-v7.js';
import { NotJson, toJson } from './wire-form.js';

/** A message as a transport carries it. Header names and values follow CloudEvents' Kafka binding, binary mode. */
export interface WireMessage {
  readonly topic: string;
  /** Messages with the same key keep their order; an empty key is a key like any other. */
  readonly key: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly payload: Buffer;
}

export const Header = {
  id: 'ce_id',
  type: 'ce_type',
  source: 'ce_source',
  time: 'ce_time',
  /** CloudEvents' sequence extension: per source and key, a later event has a greater one. */
  sequence: 'ce_sequence',
  specVersion: 'ce_specversion',
  contentType: 'content-type',
  traceparent: 'traceparent',
} as const;

/** An event that matches its contract, with its identifying fields. */
export interface Envelope {
  readonly topic: string;
  readonly key: string;
  readonly type: string;
  readonly id: string;
  readonly traceparent: string;
  /** JSON. */
  readonly payload: string;
}

/** What the headers say about an event. */
export interface Provenance {
  readonly id: string;
  readonly type: string;
  readonly traceparent: string;
  /** The publishing service. */
  readonly source: string;
  /** When it happened. */
  readonly time: Date;
  /** Its number among the events of its source, if the source numbers them. */
  readonly sequence?: number;
}

/** The event does not match its own contract; nothing was published. */
export class InvalidEvent extends Error {
  constructor(
    readonly type: string,
    readonly issues: string,
  ) {
    super(`${type} was not published because it violates its contract: ${issues}`);
  }
}

/** In bytes. Keys and message ids are kept in indexes, which limit the length of an entry. */
export const LONGEST_KEY = 512;

/**
 * Wraps an event.
 * @param traceparent the trace that the event belongs to; the current one if left out
 * @throws InvalidEvent when the data does not fit the definition's schema, or would not arrive as it is
 */
export function envelop<Definition extends EventDefinition>(
  definition: Definition,
  data: unknown,
  traceparent: string | undefined = currentTraceparent(),
): Envelope {
  const parsed = definition.schema.safeParse(data);
  if (!parsed.success) throw new InvalidEvent(definition.type, describeIssues(parsed.error.issues));
  const key = definition.key(parsed.data as never);
  if (
    typeof key !== 'string' ||
    key.includes('\0') ||
    !key.isWellFormed() ||
    Buffer.byteLength(key) > LONGEST_KEY
  ) {
    const issue = `its key is not text, has a NUL character or half of a surrogate pair in it, or is longer than ${LONGEST_KEY} bytes`;
    throw new InvalidEvent(definition.type, issue);
  }
  return {
    topic: definition.topic,
    key,
    type: definition.type,
    id: uuidv7(),
    traceparent: childOf(traceparent),
    payload: jsonOf(definition, parsed.data),
  };
}

function jsonOf({ type, schema }: EventDefinition, data: unknown): string {
  try {
    return toJson(schema, data);
  } catch (error) {
    if (error instanceof NotJson) throw new InvalidEvent(type, error.message);
    throw error;
  }
}

/**
 * Digits of a sequence number: as many as a bigint may have. The extension requires numbers that sort as
 * text.
 */
const SEQUENCE_DIGITS = 19;

export function headersOf(event: Provenance): Record<string, string> {
  const headers: Record<string, string> = {
    [Header.specVersion]: '1.0',
    [Header.id]: event.id,
    [Header.type]: event.type,
    [Header.source]: `/${event.source}`,
    [Header.time]: event.time.toISOString(),
    [Header.contentType]: 'application/json',
    [Header.traceparent]: event.traceparent,
  };
  if (event.sequence !== undefined)
    headers[Header.sequence] = String(event.sequence).padStart(SEQUENCE_DIGITS, '0');
  return headers;
}

/**
 * The envelope as a transport carries it, from a service that publishes now and assigns no sequence numbers.
 */
export function toWire({ topic, key, payload, ...event }: Envelope, source: string): WireMessage {
  const headers = headersOf({ ...event, source, time: new Date() });
  return { topic, key, headers, payload: Buffer.from(payload) };
}

export type Decoded<T> =
  { readonly ok: true; readonly event: T } | { readonly ok: false; readonly problem: string };

/** Parses a message by its contract; never throws. */
export function decode(definition: EventDefinition, message: WireMessage): Decoded<unknown> {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(message.payload));
  } catch (error) {
    return {
      ok: false,
      problem: `the payload is not JSON: ${error instanceof Error ? error.message : String(error)}`,
    };
  }
  const parsed = definition.schema.safeParse(json);
  return parsed.success
    ? { ok: true, event: parsed.data }
    : { ok: false, problem: describeIssues(parsed.error.issues) };
}

export function describeIssues(issues: readonly { path: readonly PropertyKey[]; message: string }[]): string {
  return issues.map(issue => `${issue.path.map(String).join('.') || '(root)'}: ${issue.message}`).join('; ');
}
