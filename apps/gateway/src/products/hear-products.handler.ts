import { Controller } from '@nestjs/common';
import { HotItemsListed, ProductsChanged } from '#contracts';
import { Handle } from '#messaging';
import { HotItems } from './hot-items.js';
import { ProductCache } from './product-cache.js';

/** Every gateway instance learns what is hot, and what has changed. */
@Controller()
export class HearProductsHandler {
  constructor(
    private readonly hot: HotItems,
    private readonly cache: ProductCache,
  ) {}

  @Handle(HotItemsListed, { name: 'gateway.hear-hot-items', broadcast: true })
  listed(list: HotItemsListed): void {
    this.hot.learn(list);
    this.cache.forgetCooled();
  }

  @Handle(ProductsChanged, { name: 'gateway.hear-product-changes', broadcast: true })
  changed({ skus }: ProductsChanged): void {
    this.cache.drop(skus);
  }
}
