import { open } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';

/**
 * The bytes of a file, unpacked if it is gzipped.
 * @param onBytes called with the number of bytes each time some of the file has been read
 * @throws Error that names the file when it cannot be read, or not to its end
 */
export async function* openFile(
  path: string,
  onBytes: (bytes: number) => void = () => {},
): AsyncGenerator<Buffer> {
  const file = await open(path).catch((error: NodeJS.ErrnoException) => {
    throw new Error(`${path} cannot be read (${error.code})`, { cause: error });
  });
  try {
    if (!(await file.stat()).isFile())
      throw new Error(`${path} is not a file; name the CSV, plain or gzipped`);
    const magic = Buffer.alloc(2);
    await file.read(magic, 0, 2, 0);
    const bytes = file.createReadStream({ start: 0, autoClose: false });
    bytes.on('data', chunk => onBytes(chunk.length));
    if (magic[0] !== 0x1f || magic[1] !== 0x8b) {
      yield* bytes as AsyncIterable<Buffer>;
      return;
    }
    const unpacked = createGunzip();
    bytes.on('error', error => unpacked.destroy(error));
    yield* bytes.pipe(unpacked) as AsyncIterable<Buffer>;
  } catch (error) {
    if (error instanceof Error && error.message.startsWith(path)) throw error;
    throw new Error(`${path} cannot be read to the end: ${(error as Error).message}`, { cause: error });
  } finally {
    await file.close();
  }
}
