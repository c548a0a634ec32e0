import { Controller } from '@nestjs/common';
import { GetPoints } from '#contracts';
import type { ReplyOf, RequestOf } from '#messaging';
import { HandleRequest } from '#requests';
import { PointsLedger } from './ledger/points-ledger.js';

/** The queries that the points service answers. */
@Controller()
export class PointsRequests {
  constructor(private readonly ledger: PointsLedger) {}

  @HandleRequest(GetPoints)
  get({ buyerId }: RequestOf<typeof GetPoints>): Promise<ReplyOf<typeof GetPoints>> {
    return this.ledger.of(buyerId);
  }
}
