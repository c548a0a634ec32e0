import { Controller, type DynamicModule, Module, type Type } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { type AuditReport, getAuditReport } from '#contracts';
import { HandleRequest } from '#requests';
import { reportOf, type ServiceAudit } from './service-audit.js';

/** The injection token of a service's audit, if it has one. */
export const SERVICE_AUDIT = Symbol('sluice.audit');

/** Answers an audit's request for one service's report. */
@Module({})
export class AuditModule {
  static forService(service: string, audit: ServiceAudit): DynamicModule {
    const declared = { provide: SERVICE_AUDIT, useValue: audit };
    return { module: AuditModule, controllers: [controllerOf(service, audit)], providers: [declared] };
  }
}

function controllerOf(service: string, audit: ServiceAudit): Type {
  @Controller()
  class AuditController {
    constructor(private readonly database: DataSource) {}

    @HandleRequest(getAuditReport(service))
    report(): Promise<AuditReport> {
      return reportOf(this.database, audit);
    }
  }
  return AuditController;
}
