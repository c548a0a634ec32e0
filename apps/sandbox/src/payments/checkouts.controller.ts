import {
  BadRequestException,
  Body,
  Controller,
  Get,
  Header,
  HttpCode,
  Inject,
  Param,
  ParseUUIDPipe,
  Post,
  Req,
  Res,
} from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { Currency, Id, Text } from '#contracts';
import { SERVICE_CONFIG } from '#service-kit';
import { RequireKey } from '../require-key.js';
import { Faults } from '../faults/faults.js';
import type { SandboxConfig } from '../sandbox.config.js';
import { Callbacks } from './callbacks.js';
import { CHECKOUT_POLICY, checkoutPage } from './checkout-page.js';
import { Checkouts } from './checkouts.js';

const NewCheckout = z.object({
  paymentId: Id,
  amountMinor: z.int().nonnegative(),
  currency: Currency,
  callbackUrl: z.url(),
});
const NewRefund = NewCheckout.omit({ callbackUrl: true }).extend({ refundId: Text.min(1).max(64) });

const Decision = z.object({ outcome: z.enum(['paid', 'declined']) });

/** A payment provider: opens checkouts, records the buyer's decision, calls back, and refunds money. */
@Controller('payments')
export class CheckoutsController {
  constructor(
    private readonly checkouts: Checkouts,
    private readonly callbacks: Callbacks,
    private readonly faults: Faults,
    @Inject(SERVICE_CONFIG) private readonly config: SandboxConfig,
  ) {}

  @Post('checkouts')
  @RequireKey('PAYMENT_API_KEY')
  async open(@Body() body: unknown): Promise<{ checkoutUrl: string }> {
    await this.faults.suffer('payment');
    const checkout = parse(NewCheckout, body);
    if (checkout.callbackUrl !== this.config.PAYMENT_CALLBACK_URL)
      throw new BadRequestException(`callbackUrl is not the registered ${this.config.PAYMENT_CALLBACK_URL}`);
    await this.checkouts.open(checkout);
    return { checkoutUrl: `${this.config.PUBLIC_URL}/payments/checkouts/${checkout.paymentId}` };
  }

  @Get('checkouts/:id')
  @Header('content-type', 'text/html; charset=utf-8')
  @Header('content-security-policy', CHECKOUT_POLICY)
  async page(@Param('id', ParseUUIDPipe) id: string): Promise<string> {
    const { amountMinor, currency, outcome } = await this.checkouts.find(id);
    return checkoutPage(amountMinor, currency, outcome);
  }

  /** The buyer's decision. A declined one can still be paid, as with another card; a paid one is final. */
  @Post('checkouts/:id')
  @HttpCode(200)
  async decide(
    @Param('id', ParseUUIDPipe) id: string,
    @Body() body: unknown,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<{ paymentId: string; outcome: string } | undefined> {
    const { outcome } = parse(Decision, body);
    await this.checkouts.decide(id, outcome, this.faults.of('payment'));
    this.callbacks.wake();
    if (request.headers['content-type']?.startsWith('application/x-www-form-urlencoded') !== true)
      return { paymentId: id, outcome };
    // A person sees the page again; a program gets JSON.
    void reply.status(303).header('location', request.url);
    return undefined;
  }

  @Post('refunds')
  @HttpCode(200)
  @RequireKey('PAYMENT_API_KEY')
  async refund(@Body() body: unknown): Promise<{ refundId: string }> {
    await this.faults.suffer('payment');
    const refund = parse(NewRefund, body);
    await this.checkouts.refund(refund);
    return { refundId: refund.refundId };
  }
}

function parse<Schema extends z.ZodType>(schema: Schema, body: unknown): z.output<Schema> {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  throw new BadRequestException(
    parsed.error.issues.map(issue => `${issue.path.join('.')}: ${issue.message}`),
  );
}
