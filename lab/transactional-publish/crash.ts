import { randomUUID } from 'node:crypto';
import { report, told } from '../frame/inside.js';
import type { OrderPlaced } from './order-placed.js';
import type { Point } from './points.js';

const lastOrder = Number(told('LAB_ORDERS'));
let placing = 0;

/** Dies here, as by `kill -9`, if it is this process's turn: in its last order, at the point that it was told. */
export function mayCrash(point: Point): void {
  if (point === process.env['LAB_CRASH'] && placing >= lastOrder) process.kill(process.pid, 'SIGKILL');
}

/** Places as many orders as it was told, one after the other. */
export async function placeAll(place: (order: OrderPlaced) => Promise<void>): Promise<void> {
  for (placing = 1; placing <= lastOrder; placing += 1) {
    await place({ orderId: randomUUID() });
    await report({ kind: 'placed' });
  }
}
