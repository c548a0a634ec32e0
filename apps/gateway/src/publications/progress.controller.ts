import { Controller, Get, Headers, HttpCode, Post, StreamableFile } from '@nestjs/common';
import { ApiProduces, ApiTags } from '@nestjs/swagger';
import {
  CancelPublication,
  GetPublication,
  PausePublication,
  type PublicationView,
  ResumePublication,
} from '#contracts';
import { RequestClient } from '#requests';
import { Problems } from '../problems/document-problems.js';
import { AnyCaseId, ZodParam } from '../problems/zod-body.js';
import { Access } from '../sessions/access.js';
import { rejectedRows } from './rejected-rows.js';

/** How far a publication is. */
interface Progress extends Omit<PublicationView, 'secondsLeft'> {
  /** ISO 8601; null when there is nothing to estimate it from. */
  readonly timeLeft: string | null;
}

@ApiTags('publications')
@Controller('api/publications')
@Access('operator')
export class ProgressController {
  constructor(private readonly requests: RequestClient) {}

  /** The progress of a publication, step by step, and its first rejected rows with their lines and reasons. */
  @Get(':id')
  @Problems('publication_not_found')
  async get(@ZodParam('id', AnyCaseId) publicationId: string): Promise<Progress> {
    return toProgress(await this.requests.ask(GetPublication, { publicationId }, { repeatable: true }));
  }

  /** Publishes no more rows until it is resumed, across restarts. What is in hand is finished. */
  @Post(':id/pause')
  @Problems('publication_not_found', 'wrong_publication_state')
  @HttpCode(200)
  async pause(@ZodParam('id', AnyCaseId) publicationId: string): Promise<Progress> {
    return toProgress(await this.requests.ask(PausePublication, { publicationId }, { repeatable: true }));
  }

  /** Goes on where it was paused. */
  @Post(':id/resume')
  @Problems('publication_not_found', 'wrong_publication_state')
  @HttpCode(200)
  async resume(@ZodParam('id', AnyCaseId) publicationId: string): Promise<Progress> {
    return toProgress(await this.requests.ask(ResumePublication, { publicationId }, { repeatable: true }));
  }

  /** Drops the rows that wait; an upload that is still under way is refused. What is published stays published. */
  @Post(':id/cancel')
  @Problems('publication_not_found', 'wrong_publication_state')
  @HttpCode(200)
  async cancel(@ZodParam('id', AnyCaseId) publicationId: string): Promise<Progress> {
    return toProgress(await this.requests.ask(CancelPublication, { publicationId }, { repeatable: true }));
  }

  /** Every row that was rejected so far, with its line, code and reason: CSV, or NDJSON by `Accept`. */
  @Get(':id/rejected')
  @Problems('publication_not_found')
  @ApiProduces('text/csv', 'application/x-ndjson')
  async rejected(
    @ZodParam('id', AnyCaseId) publicationId: string,
    @Headers('accept') accept: string | undefined,
  ): Promise<StreamableFile> {
    const kind = (accept ?? '').includes('application/x-ndjson') ? 'ndjson' : 'csv';
    return new StreamableFile(await rejectedRows(this.requests, publicationId, kind), {
      type: kind === 'csv' ? 'text/csv; charset=utf-8' : 'application/x-ndjson',
      disposition: `attachment; filename="rejected-${publicationId}.${kind}"`,
    });
  }
}

function toProgress({ secondsLeft, ...view }: PublicationView): Progress {
  return { ...view, timeLeft: secondsLeft === null ? null : `PT${secondsLeft}S` };
}
