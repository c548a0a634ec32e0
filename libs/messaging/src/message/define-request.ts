import type { z } from 'zod';
import { checkWireForm } from './wire-form.js';

/** A question or a command for one service, which answers it. */
export interface RequestDefinition<
  Schema extends z.ZodType = z.ZodType,
  Reply extends z.ZodType = z.ZodType,
> {
  readonly type: string;
  /** The service that answers. */
  readonly service: string;
  readonly schema: Schema;
  readonly reply: Reply;
}

export type RequestOf<Definition> =
  Definition extends RequestDefinition<infer Schema, z.ZodType> ? z.output<Schema> : never;
export type ReplyOf<Definition> =
  Definition extends RequestDefinition<z.ZodType, infer Reply> ? z.output<Reply> : never;

const REQUEST_TYPE = /^([a-z][a-z0-9-]*)\.[a-z][a-z0-9-]*\.v[1-9][0-9]*$/;

/**
 * @throws TypeError when the type is not `<service>.<what-to-do>.v<n>`, or when request or reply have something that does
 *   not travel as JSON, such as a date or a transformation
 */
export function defineRequest<Schema extends z.ZodType, Reply extends z.ZodType>(definition: {
  type: string;
  schema: Schema;
  reply: Reply;
}): RequestDefinition<Schema, Reply> {
  const service = REQUEST_TYPE.exec(definition.type)?.[1];
  if (service === undefined) {
    throw new TypeError(
      `"${definition.type}" is no request type; write it as "order.place.v1": service, what to do, version`,
    );
  }
  checkWireForm(definition.type, definition.schema);
  checkWireForm(`the reply to ${definition.type}`, definition.reply);
  return Object.freeze({ ...definition, service });
}
