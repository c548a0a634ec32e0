import { Controller } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { PublicationChunkStaged } from '#contracts';
import { Handle } from '#messaging';
import { PublishChunkUseCase } from './publish-chunk.js';

/** Processes a publication, chunk by chunk. */
@Controller()
export class PublishChunkHandler {
  constructor(private readonly publishing: PublishChunkUseCase) {}

  @Handle(PublicationChunkStaged, { name: 'catalog.publish-chunk' })
  async publish({ publicationId, chunk }: PublicationChunkStaged, tx: EntityManager): Promise<void> {
    await this.publishing.publish(tx, publicationId, chunk);
  }
}
