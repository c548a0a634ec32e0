import { applyDecorators, Body, Param, type PipeTransform, Query } from '@nestjs/common';
import { ApiBody, ApiParam, ApiQuery } from '@nestjs/swagger';
import { z } from 'zod';
import { describeIssues, DomainError } from '#messaging';

export class InvalidInput extends DomainError {
  readonly code = 'invalid_input';
  constructor(
    readonly where: string,
    readonly issues: string,
  ) {
    super(`${where}: ${issues}`);
  }
}

class ZodPipe implements PipeTransform {
  constructor(
    private readonly schema: z.ZodType,
    private readonly where: string,
  ) {}

  transform(value: unknown): unknown {
    const parsed = this.schema.safeParse(value ?? {});
    if (!parsed.success) throw new InvalidInput(this.where, describeIssues(parsed.error.issues));
    return parsed.data;
  }
}

/** An id in a path or a body, whichever case it is written in. */
export const AnyCaseId = z.uuid().toLowerCase();

type JsonSchema = Parameters<typeof ApiBody>[0] extends { schema?: infer S } ? S : never;

function documented(schema: z.ZodType): Record<string, unknown> {
  const json: Record<string, unknown> = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  delete json['$schema'];
  return json;
}

/** Names that nobody knows are refused: one that is mistyped would be left out without a word. */
function strict<Schema extends z.ZodType>(schema: Schema): Schema {
  return schema instanceof z.ZodObject ? (schema.strict() as unknown as Schema) : schema;
}

/** The body, parsed. Also adds its schema to the API document. */
export function ZodBody(loose: z.ZodType): ParameterDecorator {
  const schema = strict(loose);
  return (target, key, index) => {
    Body(new ZodPipe(schema, 'body'))(target, key, index);
    onMethod(target, key, ApiBody({ schema: documented(schema) as unknown as JsonSchema }));
  };
}

/** The query, parsed. */
export function ZodQuery(loose: z.ZodObject): ParameterDecorator {
  const schema = strict(loose);
  return (target, key, index) => {
    Query(new ZodPipe(schema, 'query'))(target, key, index);
    for (const [name, field] of Object.entries(schema.shape)) {
      const required = !(field as z.ZodType).safeParse(undefined).success;
      onMethod(
        target,
        key,
        ApiQuery({ name, required, schema: documented(field as z.ZodType) as unknown as JsonSchema }),
      );
    }
  };
}

/** A path parameter, parsed. */
export function ZodParam(name: string, schema: z.ZodType): ParameterDecorator {
  return (target, key, index) => {
    Param(name, new ZodPipe(schema, name))(target, key, index);
    onMethod(target, key, ApiParam({ name, schema: documented(schema) as unknown as JsonSchema }));
  };
}

function onMethod(target: object, key: string | symbol | undefined, decorator: MethodDecorator): void {
  const descriptor = Object.getOwnPropertyDescriptor(target, key!)!;
  applyDecorators(decorator)(target, key!, descriptor);
}
