import type { LoggerService } from '@nestjs/common';

/**
 * Ends the process once, in order, within a limit: on SIGTERM, on SIGINT, and when the launcher that started
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
  process.on('SIGTERM', () => end('SIGTERM'));
  process.on('SIGINT', () => end('SIGINT'));
  process.on('disconnect', () => end('the launcher is gone'));
}
