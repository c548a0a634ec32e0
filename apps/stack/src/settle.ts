import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Arguments } from './arguments.js';
import { keep } from './data-directory.js';
import type { Environment } from './environment.js';
import { chooseFree, isFree } from './ports.js';
import { instancesOf, SERVICES } from './services.js';
import { HOST, type Secrets, type Settings } from './settings.js';
import { StartRefused } from './start-refused.js';

/** Determines all settings before anything starts. Ports and secrets stay the same from start to start. */
export async function settle(
  dataDir: string,
  { PORT, SLUICE_OPERATOR_PASSWORD }: Environment,
  { scale, lab }: Pick<Arguments, 'scale' | 'lab'>,
  queuePorts: readonly string[],
): Promise<Settings> {
  if (PORT !== 0 && !(await isFree(HOST, PORT))) {
    throw new StartRefused(`port ${PORT} is taken; stop what uses it, or set PORT to another`);
  }
  const kept = await keep<Secrets>(join(dataDir, 'secrets.json'), before => ({
    database: before.database ?? token(24),
    session: before.session ?? token(48),
    payment: before.payment ?? token(32),
    paymentKey: before.paymentKey ?? token(32),
    smsKey: before.smsKey ?? token(32),
    merchant: before.merchant ?? webhookSecret(),
    alert: before.alert ?? webhookSecret(),
    operatorPassword: SLUICE_OPERATOR_PASSWORD ?? before.operatorPassword ?? token(12),
  }));
  const names = SERVICES.flatMap(service => instancesOf(service.name, scale));
  const ports = await keep<Record<string, number>>(join(dataDir, 'ports.json'), before =>
    chooseFree(
      HOST,
      ['postgres', 'sandbox', ...queuePorts, ...names, ...(PORT === 0 ? ['gateway'] : [])],
      before,
    ),
  );
  const gateway = PORT === 0 ? ports['gateway']! : PORT;
  return {
    dataDir,
    secrets: kept,
    ports: { ...ports, gateway },
    urls: { gateway: `http://${HOST}:${gateway}`, sandbox: `http://${HOST}:${ports['sandbox']!}` },
    scale,
    lab,
  };
}

/** As Standard Webhooks specifies. */
function webhookSecret(): string {
  return `whsec_${randomBytes(32).toString('base64')}`;
}

function token(bytes: number): string {
  return randomBytes(bytes).toString('base64url');
}
