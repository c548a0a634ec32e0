import { Controller } from '@nestjs/common';
import { getFacts, listDeadLetters } from '#contracts';
import { HandleRequest, idSet, MessagingMonitor, type RequestOf } from '#messaging';
import { PointsDatabase } from '../points.database.js';

@Controller()
export class PointsFacts {
  constructor(
    private readonly database: PointsDatabase,
    private readonly monitor: MessagingMonitor,
  ) {}

  @HandleRequest(getFacts('points'))
  async facts() {
    const sets = {
      awarded: await idSet(this.database, "SELECT cause_id AS id FROM points_entry WHERE kind = 'award'"),
      reversed: await idSet(this.database, "SELECT cause_id AS id FROM points_entry WHERE kind = 'reversal'"),
    };
    return { sets, figures: {}, ...(await this.monitor.facts()) };
  }

  @HandleRequest(listDeadLetters('points'))
  async deadLetters({ limit }: RequestOf<ReturnType<typeof listDeadLetters>>) {
    return { deadLetters: await this.monitor.deadLetters(limit) };
  }
}
