import { applyDecorators } from '@nestjs/common';
import { ApiExtension, type OpenAPIObject } from '@nestjs/swagger';
import { HTTP_CODES } from '#service-kit';
import { statusOf } from './statuses.js';

const KEY = 'x-problems';

/** Names the domain errors that a route answers, by their codes, for the API document. */
export function Problems(...codes: readonly string[]): MethodDecorator {
  return applyDecorators(ApiExtension(KEY, codes)) as MethodDecorator;
}

const METHODS = ['get', 'post', 'put', 'delete'] as const;
type Operation = NonNullable<OpenAPIObject['paths'][string][(typeof METHODS)[number]]>;

const PROBLEM = {
  type: 'object',
  description: 'Problem details (RFC 9457), with the facts of the error besides.',
  required: ['type', 'title', 'status', 'code', 'detail'],
  properties: {
    type: { type: 'string', format: 'uri-reference', description: '/problems/ and the code' },
    title: { type: 'string' },
    status: { type: 'integer' },
    code: { type: 'string', description: 'stable, for programs' },
    detail: { type: 'string', description: 'what is wrong and what to do, for people' },
  },
  additionalProperties: true,
};

/** Adds every error status to every operation: the route's own, and those that follow from what the route takes. */
export function documentProblems(document: OpenAPIObject): OpenAPIObject {
  document.components = { ...document.components };
  document.components.schemas = { ...document.components.schemas, Problem: PROBLEM } as never;
  for (const [path, item] of Object.entries(document.paths))
    for (const method of METHODS) {
      const operation = item[method];
      if (operation !== undefined) addProblems(path, operation);
    }
  return document;
}

function addProblems(path: string, operation: Operation): void {
  const told = operation as Operation & { [KEY]?: readonly string[] };
  const byStatus = new Map<number, Set<string>>();
  const add = (status: number, code: string) =>
    byStatus.set(status, (byStatus.get(status) ?? new Set()).add(code));
  for (const code of told[KEY] ?? []) add(statusOf(code), code);
  for (const status of statusesOf(path, operation)) add(status, HTTP_CODES[status]!);
  const roles = (operation.security ?? []).flatMap(each => each['bearer'] ?? []);
  if (takesKey(operation)) {
    add(400, 'invalid_idempotency_key');
    add(409, 'call_under_way');
    add(422, 'idempotency_key_reused');
  }
  if (roles.length > 0) add(401, 'invalid_token');
  if (roles.includes('operator')) add(403, 'operators_only');
  if (path.startsWith('/api/')) add(503, 'unavailable');
  add(500, 'internal');
  delete told['x-problems'];
  for (const [status, codes] of byStatus)
    operation.responses[status] = {
      description: [...codes].join(', '),
      content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
    };
}

function takesKey({ parameters = [] }: Operation): boolean {
  return parameters.some(parameter => 'name' in parameter && parameter.name === 'Idempotency-Key');
}

/** What any route answers that takes parameters or a body. */
function statusesOf(path: string, { parameters = [], requestBody }: Operation): number[] {
  const asks = parameters.length > 0 || requestBody !== undefined;
  return [
    ...(asks || path.startsWith('/api/') ? [400] : []),
    ...(requestBody === undefined ? [] : [408, 413, 415]),
    421,
  ];
}
