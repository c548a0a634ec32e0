import { crc32 } from 'node:zlib';

/** Candidates ordered by highest random weight (Thaler and Ravishankar, 1998): losing one moves only its own keys. */
export function rankByRendezvous(key: string, candidates: readonly string[]): string[] {
  return candidates
    .map(candidate => ({ candidate, weight: mix(crc32(`${candidate}|${key}`)) }))
    .sort((a, b) => b.weight - a.weight || (a.candidate < b.candidate ? -1 : 1))
    .map(({ candidate }) => candidate);
}

// CRC-32 is linear, so names that differ in one digit would rank alike for every key; this finalizer
// (MurmurHash3's fmix32, Austin Appleby) breaks that.
function mix(hash: number): number {
  let h = hash;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
