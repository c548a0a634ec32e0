import { Controller } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import {
  PublicationChunkDescribed,
  PublicationChunkPictured,
  PublicationChunkRegistered,
  PublicationChunkStaged,
} from '#contracts';
import { Handle, Outbox } from '#messaging';
import { Chunks } from './chunk.js';
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
    private readonly chunks: Chunks,
    private readonly products: RegisterProducts,
    private readonly pictures: StorePictures,
    private readonly pages: WritePages,
    private readonly sale: PutOnSale,
    private readonly outbox: Outbox,
  ) {}

  @Handle(PublicationChunkStaged, { name: 'catalog.publish-chunk' })
  async register(place: PublicationChunkStaged, tx: EntityManager): Promise<void> {
    const chunk = await this.chunks.at(tx, 'register', place);
    if (chunk === undefined) return;
    const outcome = await this.products.register(tx, chunk);
    await this.chunks.pass(tx, 'register', chunk, outcome);
    await this.outbox.publish(tx, PublicationChunkRegistered, place);
  }

  @Handle(PublicationChunkRegistered, { name: 'catalog.store-pictures' })
  async addPictures(place: PublicationChunkRegistered, tx: EntityManager): Promise<void> {
    const chunk = await this.chunks.at(tx, 'pictures', place);
    if (chunk === undefined) return;
    const same = await this.pictures.store(tx, chunk);
    await this.chunks.pass(tx, 'pictures', chunk, { same });
    await this.outbox.publish(tx, PublicationChunkPictured, place);
  }

  @Handle(PublicationChunkPictured, { name: 'catalog.write-pages' })
  async writePages(place: PublicationChunkPictured, tx: EntityManager): Promise<void> {
    const chunk = await this.chunks.at(tx, 'detailPage', place);
    if (chunk === undefined) return;
    const same = await this.pages.write(tx, chunk);
    await this.chunks.pass(tx, 'detailPage', chunk, { same });
    await this.outbox.publish(tx, PublicationChunkDescribed, place);
  }

  @Handle(PublicationChunkDescribed, { name: 'catalog.put-on-sale' })
  async putOnSale(place: PublicationChunkDescribed, tx: EntityManager): Promise<void> {
    const chunk = await this.chunks.at(tx, 'promotion', place);
    if (chunk === undefined) return;
    const same = await this.sale.put(tx, chunk);
    await this.chunks.pass(tx, 'promotion', chunk, { same });
  }
}
