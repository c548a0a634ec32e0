/**
 * A refusal by a domain rule: a stable code for programs, facts as fields, and the next step in the message.
 */
export abstract class DomainError extends Error {
  abstract readonly code: string;
}

/** The form in which a service sends a refusal to its caller. */
export interface Refusal {
  readonly code: string;
  readonly message: string;
  readonly facts: Readonly<Record<string, unknown>>;
}

export function toRefusal(error: DomainError): Refusal {
  const { code, ...facts } = error;
  return { code, message: error.message, facts };
}
