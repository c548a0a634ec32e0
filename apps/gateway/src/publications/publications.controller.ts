import { Body, Controller, Headers, HttpCode, Post } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiTags } from '@nestjs/swagger';
import { Readable } from 'node:stream';
import { z } from 'zod';
import {
  ClosePublication,
  OpenPublication,
  PUBLICATION_CHUNK_ROWS,
  type PublicationRow,
  StageChunk,
  Store,
} from '#contracts';
import { DomainError } from '#messaging';
import { RequestClient } from '#requests';
import { FileRefused } from '#row-files';
import { Idempotent } from '../idempotency/idempotent.js';
import { CallIds, type NewIds } from '../idempotency/new-ids.js';
import { Problems } from '../problems/document-problems.js';
import { ZodQuery } from '../problems/zod-body.js';
import { Access } from '../sessions/access.js';
import { type Format, formatOf, UnsupportedMediaType } from './format.js';
import { readProducts } from './read-products.js';

const IntoStore = z.object({ store: Store });
const FORM = {
  description:
    'Columns: code, title, priceMinor, currency, stock; and, if there are any, pictures, description, promoPriceMinor',
  schema: { type: 'string' as const },
};

/** The rows read before the failure are still published; the publication reports them. */
export class UploadBroken extends DomainError {
  readonly code = 'upload_broken';
  constructor(
    readonly publicationId: string,
    reason: string,
  ) {
    super(`the upload cannot be read to the end: ${reason}; fix it and send it again`);
  }
}

/** How long an upload may send nothing, in ms. */
const SILENT_MS = 5 * 60_000;

class UploadStalled extends DomainError {
  readonly code = 'upload_stalled';
  constructor() {
    super(`nothing arrived for ${SILENT_MS / 60_000} minutes`);
  }
}

@ApiTags('publications')
@Controller('api/publications')
@Access('operator')
export class PublicationsController {
  constructor(private readonly requests: RequestClient) {}

  /** Publishes products into a store. The body is streamed; the catalog processes it after the answer. */
  @Post()
  @Problems('unreadable_file', 'upload_broken', 'upload_stalled', 'publication_closed')
  @Idempotent('catalog')
  @HttpCode(202)
  @Access('operator', { streams: true, bodyMs: 3_600_000 })
  @ApiConsumes('text/csv', 'application/x-ndjson')
  @ApiBody(FORM)
  async publish(
    @ZodQuery(IntoStore) { store }: z.output<typeof IntoStore>,
    @Headers('content-type') contentType: string | undefined,
    @Headers('content-encoding') contentEncoding: string | undefined,
    @Body() body: unknown,
    @CallIds() ids: NewIds,
  ): Promise<{ publicationId: string }> {
    const format = formatOf(contentType, contentEncoding);
    if (!(body instanceof Readable)) throw new UnsupportedMediaType('there is no body');
    try {
      return await this.receive(format, store, body, ids.next());
    } finally {
      // The rest of a body that is refused is read and dropped, so that its sender gets the answer.
      body.resume();
    }
  }

  private async receive(
    format: Format,
    store: string,
    body: Readable,
    publicationId: string,
  ): Promise<{ publicationId: string }> {
    const rows = readProducts(format, body.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>);
    // What is not a list of products is refused before anything is stored.
    const first = await rows.next();
    if (first.done === true) throw new FileRefused('the file has no products');
    await this.requests.ask(OpenPublication, { publicationId, store }, { repeatable: true });
    try {
      await this.stage(publicationId, body, startingWith(first.value, rows));
    } catch (error) {
      const reason = reasonOf(error, body);
      // If the catalog is away, it ends the publication itself when it has heard nothing for a while.
      await this.requests
        .ask(
          ClosePublication,
          { publicationId, broken: reason ?? 'the shop could not store it' },
          { repeatable: true },
        )
        .catch(() => undefined);
      throw reason === undefined ? error : new UploadBroken(publicationId, reason);
    }
    await this.requests.ask(ClosePublication, { publicationId }, { repeatable: true });
    return { publicationId };
  }

  // One chunk is stored while the next one is read. While both are full, nothing more is read from the socket.
  private async stage(
    publicationId: string,
    body: Readable,
    rows: AsyncIterable<PublicationRow>,
  ): Promise<void> {
    let [chunk, waiting, staging] = [0, [] as PublicationRow[], Promise.resolve<unknown>(undefined)];
    const stalled = setTimeout(() => body.destroy(new UploadStalled()), SILENT_MS).unref();
    const send = async () => {
      await staging;
      staging = this.requests.ask(
        StageChunk,
        { publicationId, chunk, rows: waiting },
        { repeatable: true, deadlineMs: 30_000 },
      );
      // Whoever waits for it gets the error.
      staging.catch(() => undefined);
      [chunk, waiting] = [chunk + 1, []];
      stalled.refresh();
    };
    try {
      for await (const row of rows) {
        waiting.push(row);
        if (waiting.length === PUBLICATION_CHUNK_ROWS) await send();
      }
      if (waiting.length > 0) await send();
      await staging;
    } finally {
      clearTimeout(stalled);
    }
  }
}

async function* startingWith<T>(first: T, rest: AsyncIterable<T>): AsyncGenerator<T> {
  yield first;
  yield* rest;
}

/** What is wrong with the upload itself; undefined when the shop has failed. */
function reasonOf(error: unknown, body: Readable): string | undefined {
  if (error instanceof FileRefused || error instanceof UploadStalled)
    return error.message.slice(0, 500).toWellFormed();
  return body.errored === null ? undefined : 'it was cut off';
}
