import { Inject, Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { In, LessThan, Repository } from 'typeorm';
import type { ListOrders, OrderView } from '#contracts';
import type { RequestOf } from '#messaging';
import { SERVICE_CONFIG } from '#service-kit';
import { NaiveOrders } from '../naive/naive-orders.js';
import type { OrderConfig } from '../order.config.js';
import { OrderNotFound } from '../order.errors.js';
import { Order } from '../order.entity.js';
import { Refund } from '../payment/refund.entity.js';

@Injectable()
export class ReadOrders {
  constructor(
    @InjectRepository(Order) private readonly orders: Repository<Order>,
    @InjectRepository(Refund) private readonly refunds: Repository<Refund>,
    private readonly naive: NaiveOrders,
    @Inject(SERVICE_CONFIG) private readonly config: OrderConfig,
  ) {}

  /** @throws OrderNotFound, also for somebody else's order */
  async get(orderId: string, buyerId: string): Promise<OrderView> {
    const order = await this.orders.findOneBy({ id: orderId, buyerId });
    if (order === null) return this.getNaive(orderId, buyerId);
    return order.toView(await this.refundsOf([order]));
  }

  private async getNaive(orderId: string, buyerId: string): Promise<OrderView> {
    // Buyers ask for an order until it is written: without the lab, there is nowhere else to look.
    const order = this.config.SLUICE_LAB === 'on' ? await this.naive.get(orderId, buyerId) : undefined;
    if (order === undefined) throw new OrderNotFound(orderId);
    return order;
  }

  /** Newest first: order ids sort by time. */
  async list({ buyerId, limit, before }: RequestOf<typeof ListOrders>) {
    const orders = await this.orders.find({
      where: before === undefined ? { buyerId } : { buyerId, id: LessThan(before) },
      order: { id: 'DESC' },
      take: limit,
    });
    const refunds = await this.refundsOf(orders);
    return {
      orders: orders.map(order => order.toView(refunds.filter(each => each.orderId === order.id))),
      next: orders.length === limit ? orders.at(-1)!.id : null,
    };
  }

  private async refundsOf(orders: readonly Order[]): Promise<Refund[]> {
    const ids = orders
      .filter(order => order.refundedMinor > 0 || order.refundedAt !== null || order.cancelledAt !== null)
      .map(({ id }) => id);
    if (ids.length === 0) return [];
    return this.refunds.find({ where: { orderId: In(ids) }, order: { requestedAt: 'ASC' } });
  }
}
