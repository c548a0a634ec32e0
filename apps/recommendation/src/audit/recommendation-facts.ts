import { Controller } from '@nestjs/common';
import { getFacts, listDeadLetters } from '#contracts';
import { HandleRequest, idSet, MessagingMonitor, type RequestOf } from '#messaging';
import { RecommendationDatabase } from '../recommendation.database.js';

@Controller()
export class RecommendationFacts {
  constructor(
    private readonly database: RecommendationDatabase,
    private readonly monitor: MessagingMonitor,
  ) {}

  @HandleRequest(getFacts('recommendation'))
  async facts() {
    const sets = {
      profiled: await idSet(this.database, 'SELECT order_id AS id FROM profiled_order'),
    };
    return { sets, figures: {}, ...(await this.monitor.facts()) };
  }

  @HandleRequest(listDeadLetters('recommendation'))
  async deadLetters({ limit }: RequestOf<ReturnType<typeof listDeadLetters>>) {
    return { deadLetters: await this.monitor.deadLetters(limit) };
  }
}
