/** Longest description of an error, in characters. */
const LONGEST = 20_000;

/** Whatever was thrown, as text for a log: the stack if there is one. Never throws, and is bounded. */
export function describeError(error: unknown): string {
  try {
    return describe(error).slice(0, LONGEST);
  } catch {
    return 'a value that cannot be converted to text';
  }
}

function describe(error: unknown): string {
  if (typeof error === 'object' && error !== null) {
    const { stack, message } = error as { stack?: unknown; message?: unknown };
    if (typeof stack === 'string') return stack;
    if (typeof message === 'string') return message;
  }
  return String(error);
}

/** The same as text that PostgreSQL can store, truncated to `longest` characters. */
export function storableError(error: unknown, longest: number): string {
  // Truncating can leave half of a surrogate pair, which PostgreSQL rejects.
  return describeError(error).replaceAll('\0', '\uFFFD').slice(0, longest).toWellFormed();
}

/**
 * Makes an Error of whatever a handler threw. An ordinary Error is returned as it is; anything else, such as a value
 * whose properties throw when they are read, becomes an Error that describes it.
 */
export function asError(thrown: unknown): Error {
  try {
    if (thrown instanceof Error) {
      const { name, message, stack, cause, code } = thrown as Error & { code?: unknown };
      const isPlain = typeof name === 'string' && typeof message === 'string' && typeof stack === 'string';
      // Reading `cause` and `code` here shows that they can be read later.
      if (isPlain && typeof cause !== 'function' && typeof code !== 'function') return thrown;
    }
    return new Error(`a handler threw what is not an error: ${describeError(thrown)}`);
  } catch {
    return new Error('a handler threw what is not an error, and its properties cannot be read');
  }
}
