import { Controller, Headers, HttpCode, Post, type RawBodyRequest, Req } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { SettlePayment } from '#contracts';
import { type ReplyOf } from '#messaging';
import { RequestClient } from '#requests';
import { Problems } from '../problems/document-problems.js';
import { Access } from '../sessions/access.js';

@ApiTags('payments')
@Controller('api/payments')
@Access('anyone')
export class PaymentCallbackController {
  constructor(private readonly requests: RequestClient) {}

  /**
   * The provider's report on a payment, with the headers `sluice-timestamp` (seconds) and `sluice-signature`,
   * the HMAC-SHA256 of `<timestamp>.<body>` in hex. The order service checks it against the raw bytes.
   */
  @Post('callback')
  @Problems('invalid_callback', 'invalid_signature', 'payment_not_found', 'amount_mismatch')
  @HttpCode(200)
  callback(
    @Req() request: RawBodyRequest<unknown>,
    @Headers('sluice-timestamp') timestamp: string = '',
    @Headers('sluice-signature') signature: string = '',
  ): Promise<ReplyOf<typeof SettlePayment>> {
    const body = request.rawBody?.toString() ?? '';
    return this.requests.ask(SettlePayment, { timestamp, signature, body }, { repeatable: true });
  }
}
