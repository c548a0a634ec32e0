import type { z } from 'zod';
import { checkWireForm } from './wire-form.js';

/**
 * Something that happened, as it travels between services.
 *
 * - `type` is in the past tense, owner first, with its version: `order.paid.v1`.
 * - `key` is the scope of the ordering: messages with the same key are handled in commit order.
 */
export interface EventDefinition<Schema extends z.ZodType = z.ZodType> {
  readonly type: string;
  readonly topic: string;
  readonly schema: Schema;
  key(event: z.output<Schema>): string;
}

/** The data of an event, as its handlers get it. */
export type EventOf<Definition> = Definition extends EventDefinition<infer Schema> ? z.output<Schema> : never;

const EVENT_TYPE = /^[a-z][a-z0-9-]*\.[a-z][a-z0-9-]*\.v[1-9][0-9]*$/;

/**
 * @throws TypeError when the type is not `<owner>.<what-happened>.v<n>`, or when the schema has something that does not
 *   travel as JSON, such as a date or a transformation
 */
export function defineEvent<Schema extends z.ZodType>(definition: {
  type: string;
  topic: string;
  key: (event: z.output<Schema>) => string;
  schema: Schema;
}): EventDefinition<Schema> {
  if (!EVENT_TYPE.test(definition.type)) {
    throw new TypeError(
      `"${definition.type}" is no event type; write it as "order.paid.v1": owner, what happened, version`,
    );
  }
  checkWireForm(definition.type, definition.schema);
  return Object.freeze(definition);
}
