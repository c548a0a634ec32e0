import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StartRefused } from './settings.js';

/**
 * Makes sure that one launcher has the data directory. The lock is a socket that we listen on: it ends with the
 * process, however that ends, and a file left behind by a crash answers nobody.
 * @throws StartRefused when another launcher has it
 */
export async function lock(dataDir: string): Promise<void> {
  // Not in the directory itself: the path of a socket must be short.
  const path = join(
    tmpdir(),
    `sluice-${createHash('sha256').update(dataDir).digest('hex').slice(0, 16)}.sock`,
  );
  for (let attempt = 0; attempt < 2; attempt += 1) {
    const server = createServer(socket => socket.end()).listen(path);
    try {
      await once(server, 'listening');
      server.unref();
      process.once('exit', () => rmSync(path, { force: true }));
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    }
    if (await answers(path)) {
      throw new StartRefused(
        `Sluice is running on ${dataDir} already; stop it first, or set SLUICE_DATA_DIR to another`,
      );
    }
    await rm(path, { force: true });
  }
  throw new StartRefused(`somebody else is starting Sluice on ${dataDir} at this moment`);
}

async function answers(path: string): Promise<boolean> {
  const socket = connect(path);
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
