import { readFileSync } from 'node:fs';
import { SourceMap, type SourceMapPayload } from 'node:module';
import { fileURLToPath } from 'node:url';

const PLACE = /(file:\/\/[^\s()]+):(\d+):(\d+)/;

interface Frame {
  toString(): string;
}

const maps = new Map<string, SourceMap | undefined>();

/**
 * Has stacks point into the sources of compiled and bundled code. A source map is read when the first stack that needs it
 * is looked at; Node's own support reads all of them at each start, which takes longer than the start itself should.
 */
export function mapStacks(): void {
  Error.prepareStackTrace = (error, frames: readonly Frame[]) =>
    [headOf(error), ...frames.map(frame => `    at ${mapPlace(frame.toString())}`)].join('\n');
}

function headOf(error: Error): string {
  try {
    return String(error);
  } catch {
    return 'Error';
  }
}

function mapPlace(frame: string): string {
  return frame.replace(PLACE, (place, url: string, line: string, column: string) => {
    try {
      const entry = mapOf(url)?.findEntry(Number(line) - 1, Number(column) - 1);
      if (entry === undefined || !('originalSource' in entry)) return place;
      const { originalSource, originalLine, originalColumn } = entry;
      return `${fileURLToPath(new URL(originalSource, url))}:${originalLine + 1}:${originalColumn + 1}`;
    } catch {
      // Its source is no file.
      return place;
    }
  });
}

function mapOf(url: string): SourceMap | undefined {
  if (url.includes('/node_modules/')) return undefined;
  if (!maps.has(url)) maps.set(url, readMap(url));
  return maps.get(url);
}

function readMap(url: string): SourceMap | undefined {
  try {
    return new SourceMap(JSON.parse(readFileSync(`${fileURLToPath(url)}.map`, 'utf8')) as SourceMapPayload);
  } catch {
    return undefined;
  }
}
