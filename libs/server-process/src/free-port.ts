import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';

/**
 * Ports of our own choice. Systems give higher ones to outgoing connections (Linux from 32,768, others from 49,152): such
 * a port is free when it is chosen, and taken by some connection when the server that it was chosen for starts.
 */
export const OWN_PORTS = { lowest: 20_000, highest: 32_767 };

/** How many ports are tried before it is given up. */
const TRIES = 1_000;

/** Holds a port, until the server is closed. @returns undefined if it is taken */
export async function holdPort(port: number, host = '127.0.0.1'): Promise<Server | undefined> {
  const server = createServer().listen(port, host);
  try {
    await once(server, 'listening');
    return server;
  } catch {
    return undefined;
  }
}

/** Holds some free port. @throws when there is none */
export async function holdFreePort(host = '127.0.0.1'): Promise<{ port: number; server: Server }> {
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    const port = randomInt(OWN_PORTS.lowest, OWN_PORTS.highest + 1);
    const server = await holdPort(port, host);
    if (server !== undefined) return { port, server };
  }
  throw new Error(`no free port from ${OWN_PORTS.lowest} to ${OWN_PORTS.highest} on ${host}`);
}

/** Lets go of ports that were held. */
export async function letGo(servers: readonly Server[]): Promise<void> {
  for (const server of servers) {
    server.close();
    await once(server, 'close');
  }
}

/** Different TCP ports on 127.0.0.1 that are free now. */
export async function freePorts(count: number): Promise<number[]> {
  const held: { port: number; server: Server }[] = [];
  while (held.length < count) held.push(await holdFreePort());
  await letGo(held.map(({ server }) => server));
  return held.map(({ port }) => port);
}
