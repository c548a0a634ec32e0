import {
  BadRequestException,
  Body,
  ConflictException,
  Controller,
  Get,
  Header,
  HttpCode,
  Inject,
  NotFoundException,
  Param,
  ParseUUIDPipe,
  Post,
} from '@nestjs/common';
import { z } from 'zod';
import { DataSource } from 'typeorm';
import { SERVICE_CONFIG } from '#service-kit';
import { Faults } from '../faults/faults.js';
import type { SandboxConfig } from '../sandbox.config.js';
import { Callbacks } from './callbacks.js';
import { checkoutPage } from './checkout-page.js';

const NewCheckout = z.object({
  paymentId: z.uuid(),
  amountMinor: z.int().nonnegative(),
  currency: z.string(),
  callbackUrl: z.url(),
});
const NewRefund = NewCheckout.omit({ callbackUrl: true }).extend({ refundId: z.string().min(1).max(64) });

// A repeated refund is the same refund. A new one must not exceed what is left of the payment.
const GIVE_BACK = `
INSERT INTO refund AS r (id, payment_id, amount_minor)
SELECT $1, $2::uuid, $3::bigint FROM checkout c
WHERE c.payment_id = $2::uuid AND c.outcome = 'paid' AND (
  EXISTS (SELECT FROM refund WHERE id = $1) OR
  $3::bigint <= c.amount_minor - (SELECT coalesce(sum(amount_minor), 0) FROM refund WHERE payment_id = c.payment_id))
ON CONFLICT (id) DO UPDATE SET times = r.times + 1
WHERE r.payment_id = excluded.payment_id AND r.amount_minor = excluded.amount_minor
RETURNING id`;
const Outcome = z.object({ outcome: z.enum(['paid', 'declined']) });

interface Checkout {
  readonly payment_id: string;
  readonly amount_minor: string;
  readonly currency: string;
  readonly callback_url: string;
  readonly outcome: 'paid' | 'declined' | null;
}

/** A payment provider: opens checkouts, records the buyer's decision, calls back, and refunds money. */
@Controller('payments')
export class CheckoutsController {
  constructor(
    private readonly database: DataSource,
    private readonly callbacks: Callbacks,
    private readonly faults: Faults,
    @Inject(SERVICE_CONFIG) private readonly config: SandboxConfig,
  ) {}

  @Post('checkouts')
  async open(@Body() body: unknown): Promise<{ checkoutUrl: string }> {
    await this.faults.suffer('payment');
    const { paymentId, amountMinor, currency, callbackUrl } = parse(NewCheckout, body);
    await this.database.query(
      'INSERT INTO checkout (payment_id, amount_minor, currency, callback_url) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING',
      [paymentId, amountMinor, currency, callbackUrl],
    );
    return { checkoutUrl: `${this.config.PUBLIC_URL}/payments/checkouts/${paymentId}` };
  }

  @Get('checkouts/:id')
  @Header('content-type', 'text/html; charset=utf-8')
  async page(@Param('id', ParseUUIDPipe) id: string): Promise<string> {
    const { amount_minor, currency, outcome } = await this.find(id);
    return checkoutPage(Number(amount_minor), currency, outcome);
  }

  /** The buyer's decision. A declined one can still be paid, as with another card; a paid one is final. */
  @Post('checkouts/:id')
  @HttpCode(200)
  async decide(
    @Param('id', ParseUUIDPipe) id: string,
    @Body() body: unknown,
  ): Promise<{ paymentId: string; outcome: string }> {
    const { outcome } = parse(Outcome, body);
    const { amount_minor, currency, callback_url } = await this.find(id);
    const { delayMs, duplicates } = this.faults.of('payment');
    await this.database.transaction(async tx => {
      const [decided] = (await tx.query(
        `UPDATE checkout SET outcome = $2 WHERE payment_id = $1 AND outcome IS DISTINCT FROM $2
         AND outcome IS DISTINCT FROM 'paid' RETURNING 1`,
        [id, outcome],
      )) as [unknown[]];
      if (decided.length === 0) return;
      const callback = { paymentId: id, outcome, amountMinor: Number(amount_minor), currency };
      await tx.query(
        `INSERT INTO callback (payment_id, url, body, due_at)
         SELECT $1, $2, $3, now() + make_interval(secs => $4) FROM generate_series(0, $5::int)`,
        [id, callback_url, JSON.stringify(callback), delayMs / 1000, duplicates],
      );
    });
    this.callbacks.wake();
    const now = await this.find(id);
    if (now.outcome !== outcome) throw new ConflictException(`payment ${id} is already ${now.outcome}`);
    return { paymentId: id, outcome };
  }

  @Post('refunds')
  @HttpCode(200)
  async refund(@Body() body: unknown): Promise<{ refundId: string }> {
    await this.faults.suffer('payment');
    const { refundId, paymentId, amountMinor, currency } = parse(NewRefund, body);
    const checkout = await this.find(paymentId);
    if (checkout.currency !== currency)
      throw new ConflictException(`payment ${paymentId} is in ${checkout.currency}`);
    await this.database.transaction(async tx => {
      await tx.query('SELECT 1 FROM checkout WHERE payment_id = $1 FOR UPDATE', [paymentId]);
      const given = (await tx.query(GIVE_BACK, [refundId, paymentId, amountMinor])) as unknown[];
      if (given.length === 0)
        throw new ConflictException(
          `payment ${paymentId} has less than ${amountMinor} ${currency} left to refund`,
        );
    });
    return { refundId };
  }

  private async find(id: string): Promise<Checkout> {
    const [checkout] = (await this.database.query('SELECT * FROM checkout WHERE payment_id = $1', [id])) as [
      Checkout?,
    ];
    if (checkout === undefined) throw new NotFoundException(`there is no payment ${id}`);
    return checkout;
  }
}

function parse<Schema extends z.ZodType>(schema: Schema, body: unknown): z.output<Schema> {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  throw new BadRequestException(
    parsed.error.issues.map(issue => `${issue.path.join('.')}: ${issue.message}`),
  );
}
