import { Controller } from '@nestjs/common';
import { getFacts } from '#contracts';
import { HandleRequest } from '#requests';
import { idSet } from '#service-kit';
import { RecommendationDatabase } from '../recommendation.database.js';

@Controller()
export class RecommendationFacts {
  constructor(private readonly database: RecommendationDatabase) {}

  @HandleRequest(getFacts('recommendation'))
  async facts() {
    const sets = {
      profiled: await idSet(this.database, 'SELECT order_id AS id FROM profiled_order'),
    };
    return { sets, figures: {} };
  }
}
