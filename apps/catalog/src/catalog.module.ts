import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AuditModule } from '#audit';
import { IdempotencyModule } from '#idempotency';
import { MessagingModule } from '#messaging';
import { serviceDatabase } from '#service-kit';
import { Browse } from './browse/browse.js';
import { catalogAudit } from './catalog.audit.js';
import { catalogDatabase } from './catalog.database.js';
import { CatalogRequests } from './catalog.requests.js';
import { ProductNews } from './news/product-news.js';
import { Publications } from './publish/publications.js';
import { PublishChunkHandler } from './publish/publish-chunk.handler.js';
import { PublishChunkUseCase } from './publish/publish-chunk.js';
import { ChangeStockUseCase } from './stock/change-stock.js';
import { MoveStockHandler } from './stock/move-stock.handler.js';
import { OrdinaryStock } from './stock/ordinary-stock.js';

@Module({
  imports: [
    TypeOrmModule.forRootAsync(serviceDatabase(catalogDatabase)),
    MessagingModule.forService({
      service: 'catalog',
      publishes: ['catalog', 'catalog-product', 'catalog-publication'],
    }),
    AuditModule.forService('catalog', catalogAudit),
    IdempotencyModule.forService('catalog'),
  ],
  controllers: [CatalogRequests, MoveStockHandler, PublishChunkHandler],
  providers: [Browse, ChangeStockUseCase, ProductNews, Publications, PublishChunkUseCase, OrdinaryStock],
})
export class CatalogModule {}
