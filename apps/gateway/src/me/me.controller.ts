import { Controller, Get } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { GetPoints, GetRecommendations, ListNotices } from '#contracts';
import { type ReplyOf } from '#messaging';
import { RequestClient } from '#requests';
import { Access, CurrentSession, type Session } from '../sessions/access.js';

@ApiTags('me')
@Controller('api/me')
@Access('shopper')
export class MeController {
  constructor(private readonly requests: RequestClient) {}

  @Get('points')
  points(@CurrentSession() { userId: buyerId }: Session): Promise<ReplyOf<typeof GetPoints>> {
    return this.requests.ask(GetPoints, { buyerId }, { repeatable: true });
  }

  @Get('notifications')
  notifications(@CurrentSession() { userId: buyerId }: Session): Promise<ReplyOf<typeof ListNotices>> {
    return this.requests.ask(ListNotices, { buyerId, limit: 100 }, { repeatable: true });
  }

  @Get('recommendations')
  recommendations(
    @CurrentSession() { userId: buyerId }: Session,
  ): Promise<ReplyOf<typeof GetRecommendations>> {
    return this.requests.ask(GetRecommendations, { buyerId, limit: 20 }, { repeatable: true });
  }
}
