import { Readable } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import { SingleBar } from 'cli-progress';
import { z } from 'zod';
import type { ShopClient } from '#shop-kit';

const LOOK_MS = 200;
/** What is sent at a time, in characters. */
const BLOCK = 65_536;

const Publication = z.object({
  publicationId: z.string().optional(),
  status: z.enum(['receiving', 'publishing', 'paused', 'published', 'cancelled', 'broken']),
  received: z.number(),
  published: z.number(),
  unchanged: z.number(),
  rejected: z.number(),
  remaining: z.number(),
  timeLeft: z.string().nullish(),
  rejectedRows: z.array(z.object({ line: z.number(), reason: z.string() })),
});
export type Publication = z.output<typeof Publication>;

/**
 * Publishes products in the running shop, and shows how far it is.
 * @returns the publication once it is over or paused
 * @throws when the shop does not accept it
 */
export async function publish(
  shop: ShopClient,
  store: string,
  type: 'text/csv' | 'application/x-ndjson',
  body: AsyncIterable<string> | Iterable<string>,
): Promise<Publication> {
  const token = await shop.asOperator();
  const answer = await shop.call('POST', `/api/publications?store=${store}`, {
    body: Readable.from(inBlocks(body)),
    token,
    headers: { 'content-type': type },
  });
  if (answer.status !== 202)
    throw new Error(`the shop did not accept the publication: ${detailOf(answer.body)}`);
  const { publicationId } = z.object({ publicationId: z.string() }).parse(answer.body);
  const bar = new SingleBar({
    format: '{status} {bar} {value}/{total} {left}',
    clearOnComplete: true,
    noTTYOutput: false,
  });
  bar.start(1, 0, { status: 'publishing', left: '' });
  try {
    for (;;) {
      const publication = Publication.parse(await shop.get(`/api/publications/${publicationId}`, token));
      const { status, received, remaining, timeLeft } = publication;
      bar.setTotal(received);
      bar.update(received - remaining, {
        status,
        left: timeLeft == null ? '' : `${secondsOf(timeLeft)} s left`,
      });
      if (status !== 'receiving' && status !== 'publishing') return publication;
      await setTimeout(LOOK_MS);
    }
  } finally {
    bar.stop();
  }
}

/** Lines together: each piece of a body costs both ends. */
async function* inBlocks(lines: AsyncIterable<string> | Iterable<string>): AsyncGenerator<string> {
  let block = '';
  for await (const line of lines) {
    block += line;
    if (block.length < BLOCK) continue;
    yield block;
    block = '';
  }
  if (block !== '') yield block;
}

/** @param duration such as PT12S */
function secondsOf(duration: string): string {
  return duration.slice('PT'.length, -'S'.length);
}

function detailOf(body: unknown): string {
  const { detail } = (body ?? {}) as { detail?: unknown };
  return typeof detail === 'string' ? detail : JSON.stringify(body);
}
