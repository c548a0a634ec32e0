import { takeRandom } from './random-hex.js';

/**
 * A time-ordered UUID (RFC 9562, version 7). New ids land at the end of an index instead of all over it,
 * which keeps inserts cheap at the rate of a flash sale.
 */
export function uuidv7(now: number = Date.now()): string {
  const bytes = takeRandom(16);
  bytes.writeUIntBE(now, 0, 6);
  bytes[6] = (bytes[6]! & 0x0f) | 0x70;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
