import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A data directory with this file in it is removed by the launcher when the shop stops. */
const MARK = 'temporary';

/** The launcher removes it, so that nothing is left when nobody is there any more to do it. */
export async function markTemporary(dataDir: string): Promise<void> {
  await writeFile(join(dataDir, MARK), 'This data directory is removed when its shop stops.\n');
}

export async function unmarkTemporary(dataDir: string): Promise<void> {
  await rm(join(dataDir, MARK), { force: true });
}
