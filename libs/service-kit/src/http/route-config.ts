declare module 'fastify' {
  interface FastifyContextConfig {
    /** Who may call. Where access is checked, a route without it is for operators. */
    access?: 'shopper' | 'operator' | 'anyone';
    /** How long its body may take, in ms. */
    bodyMs?: number;
    /** Its body is a stream, which the handler reads itself. */
    streams?: boolean;
  }
}

/** What a route says of itself, for hooks that run before its handler. */
export type RouteLimits = Pick<import('fastify').FastifyContextConfig, 'access' | 'bodyMs' | 'streams'>;
