import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StartRefused } from './start-refused.js';

/**
 * Makes sure that only one launcher has the data directory. The lock is a socket that we listen on: it ends
 * with the process, however that ends. A socket file left behind by a crash does not answer.
 * @throws StartRefused when another launcher has it
 */
export async function lock(dataDir: string): Promise<void> {
  const path = addressOf(dataDir);
  for (let attempt = 0; attempt < 2; attempt += 1) {
    const server = createServer(socket => socket.end()).listen(path);
    try {
      await once(server, 'listening');
      server.unref();
      if (!isAbstract(path)) process.once('exit', () => rmSync(path, { force: true }));
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    }
    if (await answers(path)) {
      throw new StartRefused(
        `Sluice is running on ${dataDir} already; stop it first, or set SLUICE_DATA_DIR to another`,
      );
    }
    if (!isAbstract(path)) await rm(path, { force: true });
  }
  throw new StartRefused(`another launcher is starting Sluice on ${dataDir} at this moment`);
}

/** Not in the directory itself: a socket's path is at most about 100 bytes long. Linux needs no path at all. */
function addressOf(dataDir: string): string {
  const name = `sluice-${createHash('sha256').update(dataDir).digest('hex').slice(0, 16)}`;
  return process.platform === 'linux' ? `\0${name}` : join(tmpdir(), `${name}.sock`);
}

/** An abstract socket is a name in the kernel, with no file to remove. */
function isAbstract(address: string): boolean {
  return address.startsWith('\0');
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
