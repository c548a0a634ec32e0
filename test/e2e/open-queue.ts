import type { Transport } from '#messaging';
import type { RunningShop } from '#shop-kit';
import { openTransport, TransportConfig } from '#transport-choice';

/** Opens the queue of a shop, for a test that plays a stranger to it. */
export async function openQueue(running: RunningShop): Promise<Transport> {
  const config = TransportConfig.parse(await running.environmentOf('order-1'));
  return openTransport({ ...config, SLUICE_INSTANCE: 'stranger' });
}
