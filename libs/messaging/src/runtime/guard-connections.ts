import type { DataSource } from 'typeorm';
import { DatabaseUnavailable } from './infrastructure-error.js';
import {
  type BoundedClient,
  DEFAULT_SESSION_LIMITS,
  limitSession,
  type SessionLimits,
} from './session-limits.js';

interface Connecting {
  obtainMasterConnection(): Promise<[BoundedClient, (error?: Error) => void]>;
}

const guarded = new WeakSet<Connecting>();

/**
 * Gives each connection of a DataSource its limits, and makes it throw DatabaseUnavailable when it gets none. The
 * driver's own errors for this have neither a code nor a class of their own, so nobody could tell them from an error of
 * the business. A second call for the same DataSource changes nothing.
 */
export function guardConnections(database: DataSource, limits: SessionLimits = DEFAULT_SESSION_LIMITS): void {
  const driver = database.driver as unknown as Connecting;
  if (guarded.has(driver)) return;
  guarded.add(driver);
  const obtain = driver.obtainMasterConnection.bind(driver);
  driver.obtainMasterConnection = async () => {
    const connection = await obtain().catch((error: unknown) => {
      throw new DatabaseUnavailable(error);
    });
    const [client, release] = connection;
    try {
      await limitSession(client, limits);
    } catch (error) {
      release(error as Error);
      throw new DatabaseUnavailable(error);
    }
    return connection;
  };
}
