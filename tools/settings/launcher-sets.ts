import { environmentOf } from '../../apps/stack/src/environment.js';
import { type Service, SERVICES } from '../../apps/stack/src/services.js';
import type { Settings } from '../../apps/stack/src/settings.js';

/** What the launcher tells a service on a given queue, besides what it is given itself. */
export function launcherSets(
  service: Service,
  queue: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const ports = ['gateway', 'sandbox', ...SERVICES.map(each => `${each.name}-1`)];
  const settings: Settings = {
    dataDir: '',
    secrets: {
      database: '',
      session: '',
      payment: '',
      paymentKey: '',
      smsKey: '',
      merchant: '',
      alert: '',
      operatorPassword: '',
    },
    ports: Object.fromEntries(ports.map(each => [each, 1])) as Settings['ports'],
    urls: { gateway: '', sandbox: '' },
    lab: false,
    scale: new Map(),
  };
  return environmentOf(service, `${service.name}-1`, settings, database => database, queue);
}
