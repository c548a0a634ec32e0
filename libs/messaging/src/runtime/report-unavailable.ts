import type { DataSource } from 'typeorm';
import { DatabaseUnavailable } from './infrastructure-error.js';

interface Connecting {
  obtainMasterConnection(): Promise<unknown>;
}

const reporting = new WeakSet<Connecting>();

/**
 * Makes a DataSource throw DatabaseUnavailable when it gets no connection. The driver's own errors for this have
 * neither a code nor a class of their own, so nobody could tell them from an error of the business. A second call for
 * the same DataSource changes nothing.
 */
export function reportUnavailable(database: DataSource): void {
  const driver = database.driver as unknown as Connecting;
  if (reporting.has(driver)) return;
  reporting.add(driver);
  const obtain = driver.obtainMasterConnection.bind(driver);
  driver.obtainMasterConnection = () =>
    obtain().catch((error: unknown) => {
      throw new DatabaseUnavailable(error);
    });
}
