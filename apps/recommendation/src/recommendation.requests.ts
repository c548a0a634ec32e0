import { Controller } from '@nestjs/common';
import { GetRecommendations } from '#contracts';
import type { ReplyOf, RequestOf } from '#messaging';
import { HandleRequest } from '#requests';
import { Recommender } from './recommend/recommender.js';

/** The queries that the recommendation service answers. */
@Controller()
export class RecommendationRequests {
  constructor(private readonly recommender: Recommender) {}

  @HandleRequest(GetRecommendations)
  get(request: RequestOf<typeof GetRecommendations>): Promise<ReplyOf<typeof GetRecommendations>> {
    return this.recommender.recommend(request);
  }
}
