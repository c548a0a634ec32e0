import { Controller } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import {
  PublicationChunkDescribed,
  PublicationChunkPictured,
  PublicationChunkRegistered,
  PublicationChunkStaged,
} from '#contracts';
import { Handle, Outbox } from '#messaging';
import { PutOnSale } from './put-on-sale.js';
import { RegisterProducts } from './register-products.js';
import { StorePictures } from './store-pictures.js';
import { WritePages } from './write-pages.js';

/**
 * The steps of a publication, each behind the queue: what a step writes, and the message that starts the next one, are one
 * transaction. A part that has been through a step does not go through it again.
 */
@Controller()
export class WorkOffChunkHandler {
  constructor(
    private readonly products: RegisterProducts,
    private readonly pictures: StorePictures,
    private readonly pages: WritePages,
    private readonly sale: PutOnSale,
    private readonly outbox: Outbox,
  ) {}

  @Handle(PublicationChunkStaged, { name: 'catalog.publish-chunk' })
  async register(part: PublicationChunkStaged, tx: EntityManager): Promise<void> {
    if (await this.products.register(tx, part))
      await this.outbox.publish(tx, PublicationChunkRegistered, part);
  }

  @Handle(PublicationChunkRegistered, { name: 'catalog.store-pictures' })
  async storePictures(part: PublicationChunkRegistered, tx: EntityManager): Promise<void> {
    if (await this.pictures.store(tx, part)) await this.outbox.publish(tx, PublicationChunkPictured, part);
  }

  @Handle(PublicationChunkPictured, { name: 'catalog.write-pages' })
  async writePages(part: PublicationChunkPictured, tx: EntityManager): Promise<void> {
    if (await this.pages.write(tx, part)) await this.outbox.publish(tx, PublicationChunkDescribed, part);
  }

  @Handle(PublicationChunkDescribed, { name: 'catalog.put-on-sale' })
  async putOnSale(part: PublicationChunkDescribed, tx: EntityManager): Promise<void> {
    await this.sale.put(tx, part);
  }
}
