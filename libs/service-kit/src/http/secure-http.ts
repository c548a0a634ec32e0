import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { checkHost } from './check-host.js';
import { limitBodies } from './limit-bodies.js';
import { parseBodies } from './parse-bodies.js';

/** What every app's HTTP side keeps to: known names, bodies within bounds, and headers that keep a browser from harm. */
export function secureHttp(
  app: NestFastifyApplication,
  config: { readonly HTTP_HOSTS: readonly string[] },
): void {
  const fastify = app.getHttpAdapter().getInstance();
  checkHost(fastify, config.HTTP_HOSTS);
  limitBodies(fastify);
  parseBodies(app);
  // For pages and data alike; a page replaces the policy by its own.
  app.useSecurityHeaders({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { defaultSrc: "'none'", frameAncestors: "'none'" },
    },
    // TLS ends before us. What remains is for browsers that no longer exist.
    strictTransportSecurity: false,
    xDnsPrefetchControl: false,
    xDownloadOptions: false,
    xXssProtection: false,
    xPermittedCrossDomainPolicies: false,
    originAgentCluster: false,
    crossOriginOpenerPolicy: false,
    crossOriginResourcePolicy: false,
    xFrameOptions: false,
    referrerPolicy: false,
  });
}
