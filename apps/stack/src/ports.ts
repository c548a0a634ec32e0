import { once } from 'node:events';
import { createServer } from 'node:net';

/** Whether nothing listens on the port now. */
export async function isFree(host: string, port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, host);
    await once(server, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}

/** A port for each name: its previous one if free, else another. All are held, so none is chosen twice. */
export async function chooseFree(
  host: string,
  names: readonly string[],
  before: Partial<Record<string, number>>,
): Promise<Record<string, number>> {
  const held: ReturnType<typeof createServer>[] = [];
  const hold = async (port: number): Promise<number | undefined> => {
    const server = createServer().listen(port, host);
    try {
      await once(server, 'listening');
    } catch {
      return undefined;
    }
    held.push(server);
    return (server.address() as { port: number }).port;
  };
  const chosen: Record<string, number> = {};
  for (const name of names) {
    const earlier = before[name];
    const again = earlier === undefined ? undefined : await hold(earlier);
    const port = again ?? (await hold(0));
    if (port === undefined) throw new Error(`no free port on ${host} for ${name}`);
    chosen[name] = port;
  }
  for (const server of held) {
    server.close();
    await once(server, 'close');
  }
  return chosen;
}
