import { Controller } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { PublicationsDue } from '#contracts';
import { Handle } from '#messaging';
import { ReleaseChunks } from './release-chunks.js';

/** Hands the next parts of publications to the queue. */
@Controller()
export class ReleaseChunksHandler {
  constructor(private readonly chunks: ReleaseChunks) {}

  @Handle(PublicationsDue, { name: 'catalog.release-chunks' })
  async release({ at }: PublicationsDue, tx: EntityManager): Promise<void> {
    await this.chunks.release(tx, at);
  }
}
