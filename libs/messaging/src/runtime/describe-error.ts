/** Whatever was thrown, as text for a log: the stack where there is one. */
export function describeError(error: unknown): string {
  if (error instanceof Error) return error.stack ?? error.message;
  try {
    return String(error);
  } catch {
    return 'a value was thrown that cannot be converted to text';
  }
}

/** The same as text that PostgreSQL stores, cut off after so many characters. */
export function storableError(error: unknown, longest: number): string {
  // A cut can leave half of a surrogate pair, which PostgreSQL refuses.
  return describeError(error).replaceAll('\0', '\uFFFD').slice(0, longest).toWellFormed();
}
