import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AuditModule } from '#audit';
import { serviceDatabase } from '#service-kit';
import { FaultsController } from './faults/faults.controller.js';
import { Faults } from './faults/faults.js';
import { MerchantController } from './merchant/merchant.controller.js';
import { Webhooks } from './merchant/webhooks.js';
import { Pages } from './pager/pages.js';
import { Callbacks } from './payments/callbacks.js';
import { Checkouts } from './payments/checkouts.js';
import { PagerController } from './pager/pager.controller.js';
import { CheckoutsController } from './payments/checkouts.controller.js';
import { sandboxAudit } from './sandbox.audit.js';
import { sandboxDatabase } from './sandbox.database.js';
import { SmsController } from './sms/sms.controller.js';
import { TextMessages } from './sms/text-messages.js';

/** The outside world: payment provider, SMS gateway, merchant, pager. Any can be slow, fail or send twice. */
@Module({
  imports: [
    TypeOrmModule.forRootAsync(serviceDatabase(sandboxDatabase)),
    AuditModule.forService('sandbox', sandboxAudit),
  ],
  controllers: [CheckoutsController, SmsController, MerchantController, PagerController, FaultsController],
  providers: [Faults, Callbacks, Checkouts, Pages, TextMessages, Webhooks],
})
export class SandboxModule {}
