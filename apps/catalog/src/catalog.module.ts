import { Module } from '@nestjs/common';
import { MessagingModule } from '#messaging';
import { DatabaseModule } from '#service-kit';
import { CatalogFacts } from './audit/catalog-facts.js';
import { Browse } from './browse/browse.js';
import { CatalogDatabase } from './catalog.database.js';
import { CatalogRequests } from './catalog.requests.js';
import { PublishChunk } from './publish/publish-chunk.handler.js';
import { Publications } from './publish/publications.js';
import { StockFollowsOrder } from './stock/follow-order.handler.js';

@Module({
  imports: [
    DatabaseModule.forService(CatalogDatabase),
    MessagingModule.forService({
      service: 'catalog',
      database: CatalogDatabase,
      publishes: ['catalog', 'catalog-publication'],
    }),
  ],
  controllers: [CatalogRequests, StockFollowsOrder, PublishChunk, CatalogFacts],
  providers: [Browse, Publications],
})
export class CatalogModule {}
