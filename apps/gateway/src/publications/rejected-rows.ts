import { Readable } from 'node:stream';
import { ListRejectedRows, type RejectedRow } from '#contracts';
import type { RequestClient } from '#requests';

/** Rejected rows in memory at a time. */
const PAGE = 1_000;

const FORMATS = {
  csv: {
    header: 'line,code,reason\n',
    write: ({ line, code, reason }: RejectedRow) => `${line},${cell(asText(code ?? ''))},${cell(reason)}\n`,
  },
  ndjson: { header: '', write: (row: RejectedRow) => `${JSON.stringify(row)}\n` },
} as const;

/**
 * The rejected rows of a publication as a file, read page by page while the caller takes it.
 * @throws RequestRefused when there is no such publication
 */
export async function rejectedRows(
  requests: RequestClient,
  publicationId: string,
  kind: keyof typeof FORMATS,
): Promise<Readable> {
  const { header, write } = FORMATS[kind];
  const pageAfter = async (afterLine: number) => {
    const page = { publicationId, afterLine, limit: PAGE };
    return (await requests.ask(ListRejectedRows, page, { repeatable: true })).rows;
  };
  // The first page comes before the answer begins, so that an unknown publication is still a 404.
  const first = await pageAfter(0);
  async function* file(): AsyncGenerator<string> {
    yield header;
    for (let rows = first; rows.length > 0;) {
      yield rows.map(write).join('');
      rows = rows.length < PAGE ? [] : await pageAfter(rows.at(-1)!.line);
    }
  }
  return Readable.from(file(), { objectMode: false });
}

function cell(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}

/** A spreadsheet would take such a code for a formula. */
function asText(code: string): string {
  return /^[=+\-@\t\r]/.test(code) ? `'${code}` : code;
}
