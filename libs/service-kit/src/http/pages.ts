import { createHash } from 'node:crypto';

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** HTML that is safe to send. */
class Html {
  constructor(private readonly text: string) {}

  toString(): string {
    return this.text;
  }
}

/** HTML in which every value is escaped, except what this function has made itself. */
export function html(
  parts: TemplateStringsArray,
  ...values: readonly (string | number | Html | readonly Html[])[]
): Html {
  const safe = values.map(each => {
    if (each instanceof Html) return each.toString();
    if (typeof each === 'object') return each.join('');
    return String(each).replace(/[&<>"']/g, character => ENTITIES[character]!);
  });
  return new Html(String.raw({ raw: parts }, ...safe));
}

/** A style or script of our own, as it stands. */
export function inline(text: string): Html {
  return new Html(text);
}

const hash = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/** The policy of a page with exactly this style and this script, which calls its own server only. */
export function pagePolicy(style: string, script?: string): string {
  return [
    "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; img-src data:",
    `connect-src 'self'; style-src ${hash(style)}`,
    ...(script === undefined ? [] : [`script-src ${hash(script)}`]),
  ].join('; ');
}
