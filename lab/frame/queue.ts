import type { Transport } from '#messaging';
import { openTransport, TransportConfig } from '#transport-choice';

/** Opens the queue that an environment names, as the shop's apps do. */
export async function openQueue(env: NodeJS.ProcessEnv, instance: string): Promise<Transport> {
  return openTransport({ ...TransportConfig.parse(env), SLUICE_INSTANCE: instance });
}
