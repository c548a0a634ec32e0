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
import { ControlPublicationUseCase } from './publish/control-publication.js';
import { PublicationViews } from './publish/publication-view.js';
import { Publications } from './publish/publications.js';
import { PutOnSale } from './publish/put-on-sale.js';
import { RegisterProducts } from './publish/register-products.js';
import { ReleaseChunksHandler } from './publish/release-chunks.handler.js';
import { ReleaseChunks } from './publish/release-chunks.js';
import { StorePictures } from './publish/store-pictures.js';
import { WorkOffChunkHandler } from './publish/work-off-chunk.handler.js';
import { WritePages } from './publish/write-pages.js';
import { ChangeStockUseCase } from './stock/change-stock.js';
import { MoveStockHandler } from './stock/move-stock.handler.js';
import { OrdinaryStock } from './stock/ordinary-stock.js';

const TOPICS = [
  'catalog',
  'catalog-product',
  'catalog-publication-timer',
  'catalog-publication',
  'catalog-pictures',
  'catalog-detail-pages',
  'catalog-promotions',
];

@Module({
  imports: [
    TypeOrmModule.forRootAsync(serviceDatabase(catalogDatabase)),
    MessagingModule.forService({ service: 'catalog', publishes: TOPICS }),
    AuditModule.forService('catalog', catalogAudit),
    IdempotencyModule.forService('catalog'),
  ],
  controllers: [CatalogRequests, MoveStockHandler, ReleaseChunksHandler, WorkOffChunkHandler],
  providers: [
    Browse,
    ChangeStockUseCase,
    ControlPublicationUseCase,
    OrdinaryStock,
    ProductNews,
    Publications,
    PublicationViews,
    PutOnSale,
    RegisterProducts,
    ReleaseChunks,
    StorePictures,
    WritePages,
  ],
})
export class CatalogModule {}
