/** A refusal by a rule of the domain: a stable code for programs, facts as fields, the next step in the message. */
export abstract class DomainError extends Error {
  abstract readonly code: string;
}

/** What crosses a service's border when it refuses. */
export interface Refusal {
  readonly code: string;
  readonly message: string;
  readonly facts: Readonly<Record<string, unknown>>;
}

export function toRefusal(error: DomainError): Refusal {
  const { code, ...facts } = error;
  return { code, message: error.message, facts };
}
