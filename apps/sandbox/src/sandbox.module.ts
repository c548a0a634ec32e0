import { Module } from '@nestjs/common';
import { DatabaseModule } from '#service-kit';
import { FaultsController } from './faults/faults.controller.js';
import { Faults } from './faults/faults.js';
import { MerchantController } from './merchant/merchant.controller.js';
import { Callbacks } from './payments/callbacks.js';
import { PagerController } from './pager/pager.controller.js';
import { CheckoutsController } from './payments/checkouts.controller.js';
import { SandboxDatabase } from './sandbox.database.js';
import { SmsController } from './sms/sms.controller.js';
import { SummaryController } from './summary/summary.controller.js';

/** The outside world: a payment provider, an SMS gateway, a merchant, a pager. Each can be slow, fail, double or be late. */
@Module({
  imports: [DatabaseModule.forService(SandboxDatabase)],
  controllers: [
    CheckoutsController,
    SmsController,
    MerchantController,
    PagerController,
    FaultsController,
    SummaryController,
  ],
  providers: [Faults, Callbacks],
})
export class SandboxModule {}
