export { AuditModule, SERVICE_AUDIT } from './audit.module.js';
export { defineAudit, type ServiceAudit } from './service-audit.js';
