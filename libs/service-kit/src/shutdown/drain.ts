import cluster from 'node:cluster';
import type { LoggerService } from '@nestjs/common';

/**
 * Ends the process once, in order, within a limit: on SIGTERM, SIGINT or SIGHUP, and when the launcher that started
 * it is gone.
 */
export function drainOnSignal(limitMs: number, logger: LoggerService, drain: () => Promise<void>): void {
  let draining = false;
  const end = (reason: string) => {
    if (draining) return;
    draining = true;
    logger.log(`draining: ${reason}`);
    setTimeout(() => {
      logger.error(`not drained after ${limitMs} ms; ending`);
      process.exit(1);
    }, limitMs).unref();
    drain().then(
      () => process.exit(0),
      (error: unknown) => {
        logger.error(`draining failed: ${error instanceof Error ? error.stack : String(error)}`);
        process.exit(1);
      },
    );
  };
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => end(signal));
  // A launcher that is gone no longer reads the log; a failed write must not end the work in progress.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  // Node ends a cluster worker at once when its primary is gone, unless it is already marked as leaving.
  if (cluster.worker !== undefined) cluster.worker.exitedAfterDisconnect = true;
  process.on('disconnect', () => end('the launcher is gone'));
}
