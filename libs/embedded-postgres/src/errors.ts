import { ServerStartError } from '#server-process';

/** PostgreSQL cannot be run here. The message says why and what to do. */
export class PostgresStartError extends ServerStartError {}
