import { Body, Controller, Get, Headers, HttpCode, Post } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiTags } from '@nestjs/swagger';
import { Readable } from 'node:stream';
import { z } from 'zod';
import {
  ClosePublication,
  GetPublication,
  OpenPublication,
  PUBLICATION_CHUNK_ROWS,
  type PublicationRow,
  type PublicationView,
  StageChunk,
  Store,
} from '#contracts';
import { DomainError, uuidv7 } from '#messaging';
import { RequestClient } from '#requests';
import { AnyCaseId, ZodParam, ZodQuery } from '../problems/zod-body.js';
import { Access } from '../sessions/access.js';
import { csvRows, ndjsonRows } from './read-rows.js';

const IntoStore = z.object({ store: Store });
const FORM = {
  description: 'Columns: code, title, priceMinor, currency, stock',
  schema: { type: 'string' as const },
};

export class UnsupportedMediaType extends DomainError {
  readonly code = 'unsupported_media_type';
  constructor() {
    super('send the products as text/csv with a header line, or as application/x-ndjson');
  }
}

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

@ApiTags('publications')
@Controller('api/publications')
@Access('operator')
export class PublicationsController {
  constructor(private readonly requests: RequestClient) {}

  /** Publishes products into a store. The body is streamed; the catalog processes it after the answer. */
  @Post()
  @HttpCode(202)
  @ApiConsumes('text/csv', 'application/x-ndjson')
  @ApiBody(FORM)
  async publish(
    @ZodQuery(IntoStore) { store }: z.output<typeof IntoStore>,
    @Headers('content-type') contentType: string | undefined,
    @Body() body: unknown,
  ): Promise<{ publicationId: string }> {
    const format = contentType?.split(';')[0]?.trim();
    if (!(body instanceof Readable)) throw new UnsupportedMediaType();
    const publicationId = uuidv7();
    await this.requests.ask(OpenPublication, { publicationId, store }, { repeatable: true });
    try {
      await this.stage(publicationId, format === 'text/csv' ? csvRows(body) : ndjsonRows(body));
    } catch (error) {
      const broken = (error instanceof Error ? error.message : String(error)).slice(0, 500);
      await this.requests.ask(ClosePublication, { publicationId, broken }, { repeatable: true });
      throw error instanceof DomainError ? error : new UploadBroken(publicationId, broken);
    }
    await this.requests.ask(ClosePublication, { publicationId }, { repeatable: true });
    return { publicationId };
  }

  /** The progress of a publication, and its rejected rows with their lines and reasons. */
  @Get(':id')
  get(@ZodParam('id', AnyCaseId) publicationId: string): Promise<PublicationView> {
    return this.requests.ask(GetPublication, { publicationId }, { repeatable: true });
  }

  // One chunk at a time: while the catalog stores it, nothing more is read from the socket.
  private async stage(publicationId: string, rows: AsyncIterable<PublicationRow>): Promise<void> {
    let [chunk, waiting] = [0, [] as PublicationRow[]];
    const send = async () => {
      await this.requests.ask(
        StageChunk,
        { publicationId, chunk, rows: waiting },
        { repeatable: true, deadlineMs: 30_000 },
      );
      [chunk, waiting] = [chunk + 1, []];
    };
    for await (const row of rows) {
      waiting.push(row);
      if (waiting.length === PUBLICATION_CHUNK_ROWS) await send();
    }
    if (waiting.length > 0) await send();
  }
}
