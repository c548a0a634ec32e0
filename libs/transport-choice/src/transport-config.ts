import { readFileSync } from 'node:fs';
import { z } from 'zod';

const Address = z.string().regex(/^[^\s:]+:\d{1,5}$/, 'an address is host:port');

const Brokers = z
  .string()
  .transform(text => text.split(',').map(each => each.trim()))
  .pipe(z.array(Address).min(1));

/** A file's content, by its path. */
const File = z.string().transform((path, context) => {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    context.addIssue({ code: 'custom', message: `${path} cannot be read: ${(error as Error).message}` });
    return z.NEVER;
  }
});

/** Which queue, and how to reach it. */
export const TransportConfig = z
  .object({
    SLUICE_TRANSPORT: z.enum(['postgres', 'kafka']).default('postgres').describe('The queue'),
    SLUICE_TRANSPORT_URL: z.url().optional().describe("`postgres`: the queue's database"),
    SLUICE_KAFKA_BROKERS: Brokers.optional().describe('`kafka`: some of the brokers, `host:port,host:port`'),
    SLUICE_KAFKA_PREFIX: z
      .string()
      .regex(/^[A-Za-z0-9._-]{0,100}$/, 'has characters that a topic name cannot have')
      .default('sluice.')
      .describe('The prefix of topic and group names; one for each shop that shares the brokers'),
    SLUICE_KAFKA_PARTITIONS: z.coerce
      .number()
      .int()
      .min(1)
      .max(1_000)
      .optional()
      .describe('Partitions of a topic that it creates; what each service asks for if left out'),
    SLUICE_KAFKA_REPLICATION: z.coerce
      .number()
      .int()
      .min(1)
      .max(15)
      .default(1)
      .describe('Copies of a topic that it creates'),
    SLUICE_KAFKA_TLS: z.enum(['on', 'off']).default('off').describe('Whether it speaks TLS to the brokers'),
    SLUICE_KAFKA_CA: File.optional().describe(
      "Path of a PEM file: the authority of the brokers' certificates",
    ),
    SLUICE_KAFKA_CERT: File.optional().describe(
      'Path of a PEM file: our own certificate, if brokers require one',
    ),
    SLUICE_KAFKA_KEY: File.optional().describe('Path of a PEM file: the key of that certificate'),
    SLUICE_KAFKA_SASL_MECHANISM: z
      .enum(['plain', 'scram-sha-256', 'scram-sha-512'])
      .optional()
      .describe('How it logs in, if brokers require that'),
    SLUICE_KAFKA_USERNAME: z.string().min(1).optional().describe('For the login'),
    SLUICE_KAFKA_PASSWORD: z.string().min(1).optional().describe('For the login'),
  })
  .superRefine((config, context) => {
    const needed = neededBy(config).filter(key => config[key] === undefined);
    for (const key of needed) context.addIssue({ code: 'custom', path: [key], message: 'is required' });
  });
export type TransportConfig = z.output<typeof TransportConfig>;

function neededBy(config: {
  SLUICE_TRANSPORT: string;
  SLUICE_KAFKA_SASL_MECHANISM?: string | undefined;
  SLUICE_KAFKA_CERT?: string | undefined;
}) {
  if (config.SLUICE_TRANSPORT === 'postgres') return ['SLUICE_TRANSPORT_URL'] as const;
  return [
    'SLUICE_KAFKA_BROKERS',
    ...(config.SLUICE_KAFKA_SASL_MECHANISM === undefined
      ? []
      : (['SLUICE_KAFKA_USERNAME', 'SLUICE_KAFKA_PASSWORD'] as const)),
    ...(config.SLUICE_KAFKA_CERT === undefined ? [] : (['SLUICE_KAFKA_KEY'] as const)),
  ] as const;
}
