import { Controller, Get } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { HotItem } from '#contracts';
import { Access } from '../sessions/access.js';
import { HotItems } from './hot-items.js';

interface HotList {
  /** The hottest first. */
  readonly items: readonly HotItem[];
  /** The window that the points are of, in seconds, and when it ended; null when nothing is hot. */
  readonly windowSeconds: number | null;
  readonly listedAt: string | null;
}

@ApiTags('products')
@Controller('api/hot-items')
@Access('anyone')
export class HotItemsController {
  constructor(private readonly hot: HotItems) {}

  /**
   * What many look at and order now, as this gateway has last heard: 1 point for a view, 5 for an order. A product has at
   * most `count` points and at least `count - error`.
   */
  @Get()
  list(): HotList {
    const list = this.hot.current();
    if (list === undefined || list.items.length === 0)
      return { items: [], windowSeconds: null, listedAt: null };
    return { items: list.items, windowSeconds: list.windowMs / 1_000, listedAt: list.listedAt };
  }
}
