import { Logger } from '@nestjs/common';

/** How long one call of a handler may take, in ms. */
export const DEFAULT_HANDLER_MS = 120_000;

/** The handler took too long and was abandoned; its transaction is rolled back. */
export class HandlerTooSlow extends Error {
  constructor(subscription: string, limitMs: number) {
    super(
      `${subscription}: the handler did not end within ${limitMs} ms and was abandoned; ` +
        'give each call that it makes a time limit, or raise timeoutMs of its @Handle',
    );
  }
}

const logger = new Logger('Handler');

/**
 * Waits for a handler, but not for ever: it is warned about at half its time, and abandoned when that is over. What it
 * still does then has no transaction any more.
 * @throws HandlerTooSlow, and what the handler throws
 */
export async function withinLimit(
  subscription: string,
  limitMs: number,
  invoke: () => Promise<void>,
): Promise<void> {
  const { promise: tooSlow, reject } = Promise.withResolvers<never>();
  const warning = setTimeout(
    () =>
      logger.warn(`${subscription}: a handler has taken ${limitMs / 2} ms; it is abandoned after ${limitMs}`),
    limitMs / 2,
  );
  const limit = setTimeout(() => reject(new HandlerTooSlow(subscription, limitMs)), limitMs);
  const running = (async () => invoke())();
  // Once it is abandoned, nobody waits for what becomes of it.
  running.catch(() => undefined);
  try {
    await Promise.race([running, tooSlow]);
  } finally {
    clearTimeout(warning);
    clearTimeout(limit);
  }
}
