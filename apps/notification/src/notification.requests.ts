import { Controller } from '@nestjs/common';
import { ListNotices } from '#contracts';
import type { ReplyOf, RequestOf } from '#messaging';
import { HandleRequest } from '#requests';
import { SentNotices } from './notify/sent-notices.js';

/** The queries that the notification service answers. */
@Controller()
export class NotificationRequests {
  constructor(private readonly sent: SentNotices) {}

  @HandleRequest(ListNotices)
  list(request: RequestOf<typeof ListNotices>): Promise<ReplyOf<typeof ListNotices>> {
    return this.sent.list(request);
  }
}
