import type { Server } from 'node:net';
import { holdFreePort, holdPort, letGo, OWN_PORTS } from '#server-process';

/** Whether nothing listens on the port now. */
export async function isFree(host: string, port: number): Promise<boolean> {
  const held = await holdPort(port, host);
  if (held !== undefined) await letGo([held]);
  return held !== undefined;
}

/**
 * A port for each name: its previous one if free, else another. All are held, so none is chosen twice. A previous one that
 * outgoing connections may take, as earlier builds chose them, is given up.
 */
export async function chooseFree(
  host: string,
  names: readonly string[],
  before: Partial<Record<string, number>>,
): Promise<Record<string, number>> {
  const held: Server[] = [];
  const chosen: Record<string, number> = {};
  for (const name of names) {
    const earlier = before[name];
    const again =
      earlier === undefined || earlier > OWN_PORTS.highest ? undefined : await holdPort(earlier, host);
    const { port, server } =
      again === undefined ? await holdFreePort(host) : { port: earlier!, server: again };
    held.push(server);
    chosen[name] = port;
  }
  await letGo(held);
  return chosen;
}
