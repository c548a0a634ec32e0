import { hostname } from 'node:os';
import { z } from 'zod';

/** Host and port of every instance, by service: `{"order":["127.0.0.1:4001"]}`. */
const Instances = z
  .string()
  .default('{}')
  .transform((text, context) => {
    try {
      return JSON.parse(text) as unknown;
    } catch {
      context.addIssue({ code: 'custom', message: 'is not valid JSON; write {"order":["127.0.0.1:4001"]}' });
      return z.NEVER;
    }
  })
  .pipe(z.record(z.string(), z.array(z.string().regex(/^[^:]+:\d+$/, 'an address is host:port'))));

const Port = z.coerce.number().int().min(0).max(65_535);

/** The configuration of every app. */
export const HttpConfig = z.object({
  SLUICE_INSTANCE: z
    .string()
    .min(1)
    .max(64)
    .default(hostname())
    .describe("A name that no other running instance has and a restart keeps; the host's name if left out"),
  HOST: z
    .string()
    .default('127.0.0.1')
    .describe('The address to listen on; no other machine reaches the default'),
  HTTP_PORT: Port.default(0).describe(
    'The port for health, metrics and whatever else the app has over HTTP; 0 for a free one',
  ),
  HTTP_HOSTS: z
    .string()
    .default('')
    .transform(names =>
      names
        .split(',')
        .map(name => name.trim())
        .filter(Boolean),
    )
    .describe('Names, besides addresses and localhost, that it may be called by: `shop.example,gateway`'),
  LOG_LEVEL: z.enum(['error', 'warn', 'log', 'debug']).default('log').describe('The least that it logs'),
  DRAIN_MS: z.coerce
    .number()
    .int()
    .positive()
    .default(10_000)
    .describe('How long a stop may take before it is cut short, in ms'),
});
export type HttpConfig = z.output<typeof HttpConfig>;

/** The additional keys of an app with a database. */
export const databaseKeys = {
  DATABASE_URL: z.url().describe('Its own database'),
  DATABASE_POOL: z.coerce.number().int().min(1).max(100).default(8).describe('Connections to its database'),
};

/** What only an experiment needs. */
const Lab = z
  .enum(['on', 'off'])
  .default('off')
  .refine(
    lab => lab === 'off' || process.env['NODE_ENV'] !== 'production',
    'is refused where NODE_ENV is production',
  );

/** The configuration of an app that communicates with others, by messages and by requests. */
export const ServiceConfig = HttpConfig.extend({
  SLUICE_LAB: Lab.describe('Whether there is what only an experiment needs, such as the naive way to sell'),
  RPC_PORT: Port.default(0).describe('The port for requests from other services; 0 for a free one'),
  SLUICE_INSTANCES: Instances.describe(
    '`host:port` of every instance that answers requests, by service, as JSON: `{"order":["127.0.0.1:4001"]}`',
  ),
});
export type ServiceConfig = z.output<typeof ServiceConfig>;

/** The operator's password. */
export const OperatorPassword = z
  .string()
  .min(8, 'is shorter than 8 characters')
  .max(200, 'is longer than 200 characters')
  .regex(/^\P{Cc}*$/u, 'has a control character in it');

/** As in Standard Webhooks: `whsec_`, and 24 bytes or more in base64. */
export const WebhookSecret = z
  .string()
  .regex(/^whsec_[A-Za-z0-9+/]{32,}=*$/, 'must be whsec_ and at least 24 bytes in base64');

export const DatabaseConfig = ServiceConfig.extend({
  ...databaseKeys,
  ALERT_WEBHOOK_URL: z
    .url()
    .optional()
    .describe('Where alerts about its queues are sent, as Standard Webhooks; the log alone if left out'),
  ALERT_WEBHOOK_SECRET: WebhookSecret.optional().describe('The key that signs alerts: `whsec_` and base64'),
});
export type DatabaseConfig = z.output<typeof DatabaseConfig>;

/** Reads the environment; a start that cannot succeed lists every bad key and ends with code 1. */
export function readConfig<Schema extends z.ZodType>(
  schema: Schema,
  env: NodeJS.ProcessEnv = process.env,
): z.output<Schema> {
  const parsed = schema.safeParse(env);
  if (parsed.success) return parsed.data;
  for (const issue of parsed.error.issues) {
    process.stderr.write(`configuration: ${issue.path.join('.')}: ${issue.message}\n`);
  }
  process.exit(1);
}
