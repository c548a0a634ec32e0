import { z } from 'zod';
import { OperatorPassword } from '#service-kit/config';
import { givenSettings, QUOTES } from './service-settings.js';
import { answersRequests, instancesOf, type Service, SERVICES } from './services.js';
import { HOST, type Settings } from './settings.js';
import { StartRefused } from './start-refused.js';

/** The default port of the shop. */
export const DEFAULT_PORT = 3000;

/** The launcher's own environment variables. */
export const LauncherEnvironment = z.object({
  PORT: z.coerce
    .number('is not a port: write 0 to 65535')
    .int('is not a port: write 0 to 65535')
    .min(0, 'is not a port: write 0 to 65535')
    .max(65_535, 'is not a port: write 0 to 65535')
    .default(DEFAULT_PORT)
    .describe('The port of the shop; 0 for a free one'),
  SLUICE_DATA_DIR: z.string().min(1).default('.sluice').describe('Where the shop keeps its data'),
  SLUICE_OPERATOR_PASSWORD: OperatorPassword.refine(
    password => !QUOTES.every(each => password.includes(each)),
    'has all three kinds of quotes in it',
  )
    .optional()
    .describe("The operator's password; one that is made if left out"),
});

export type Environment = z.output<typeof LauncherEnvironment>;

/** @throws StartRefused that names every bad variable */
export function readEnvironment(env: NodeJS.ProcessEnv): Environment {
  const parsed = LauncherEnvironment.safeParse(env);
  if (parsed.success) return parsed.data;
  throw new StartRefused(
    parsed.error.issues.map(issue => `${issue.path.join('.')} ${issue.message}`).join('; '),
  );
}

/** The environment variables of an instance of a service. */
export function environmentOf(
  { name, database, kind, env }: Service,
  instance: string,
  settings: Settings,
  databaseUrl: (database: string) => string,
  queue: Readonly<Record<string, string>>,
): Record<string, string> {
  const answering = SERVICES.filter(answersRequests).map(service => service.name);
  const addresses = answering.map(service => [
    service,
    instancesOf(service, settings.scale).map(each => `${HOST}:${settings.ports[each]!}`),
  ]);
  return {
    ...givenSettings(name, process.env),
    SLUICE_INSTANCE: instance,
    ...(settings.lab && { SLUICE_LAB: 'on' }),
    ...queue,
    SLUICE_INSTANCES: JSON.stringify(Object.fromEntries(addresses)),
    HOST,
    HTTP_PORT: '0',
    // Not a free one: instances that share a port would share that one too.
    RPC_PORT: String(settings.ports[`${name}-${instance.split('-').at(-1)!}`]!),
    ...(database !== undefined && { DATABASE_URL: databaseUrl(database) }),
    // The sandbox also has a pager that receives alerts.
    ...(kind === 'service' && {
      ALERT_WEBHOOK_URL: `${settings.urls.sandbox}/pager`,
      ALERT_WEBHOOK_SECRET: settings.secrets.alert,
    }),
    ...env?.(settings),
  };
}
