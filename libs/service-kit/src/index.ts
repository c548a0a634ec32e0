export {
  DatabaseConfig,
  databaseKeys,
  HttpConfig,
  OperatorPassword,
  readConfig,
  ServiceConfig,
  WebhookSecret,
} from './config/read-config.js';
export { type DatabaseContent, databaseOptions, serviceDatabase } from './database/service-database.js';
export { migrate } from './database/migrate.js';
export { html, InlineElement, pagePolicy } from './http/pages.js';
export { HTTP_CODES, HttpProblemFilter, type ProblemDetails } from './http/http-problem.filter.js';
export { problem } from './http/problem.js';
export type { RouteLimits } from './http/route-config.js';
export { secureHttp } from './http/secure-http.js';
export { httpAdapter } from './http/http-adapter.js';
export { HealthChecks } from './health/health-checks.js';
export { READY_PATH } from './health/health.controller.js';
export { requestAddress, runMessagingService } from './run-messaging-service.js';
export { runService, type ServiceDefinition } from './run-service.js';
export { SERVICE_CONFIG } from './tokens.js';
