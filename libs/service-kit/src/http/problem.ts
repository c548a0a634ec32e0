/** Problem details (RFC 9457) as JSON: a stable `code`, what is wrong, and the facts. */
export function problem(status: number, code: string, detail: string, facts: object = {}): string {
  const title = code.replaceAll('_', ' ');
  return JSON.stringify({ ...facts, type: `/problems/${code}`, title, status, code, detail });
}
