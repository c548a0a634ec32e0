import type { Row } from './csv.js';
import { FileRefused } from './file-refused.js';
import type { Line } from './lines.js';

/** The rows of NDJSON, one object a line. @throws FileRefused when there is no line */
export async function* readNdjson(lines: AsyncIterable<Line>): AsyncGenerator<Row<Record<string, unknown>>> {
  let isEmpty = true;
  for await (const each of lines) {
    isEmpty = false;
    yield 'problem' in each ? each : { line: each.line, ...readObject(each.text) };
  }
  if (isEmpty) throw new FileRefused('the file is empty; write one JSON object a line');
}

function readObject(text: string): { values: Record<string, unknown> } | { problem: string } {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return { values: value as Record<string, unknown> };
    return { problem: 'the line is not a JSON object' };
  } catch {
    // The parser's own message quotes the line and differs from one version of Node to the next.
    return { problem: 'the line is not valid JSON' };
  }
}
