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

/** A style or script of our own, as it stands in a page, with what a policy admits it by. */
export class InlineElement extends Html {
  readonly hash: string;

  constructor(
    readonly kind: 'style' | 'script',
    text: string,
  ) {
    super(`<${kind}>${text}</${kind}>`);
    this.hash = `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
  }
}

/** The policy of a page with exactly these styles and scripts, which calls its own server only. */
export function pagePolicy(...elements: readonly InlineElement[]): string {
  const admitted = (kind: string) => {
    const hashes = elements.filter(each => each.kind === kind).map(each => each.hash);
    return hashes.length === 0 ? [] : [`${kind}-src ${hashes.join(' ')}`];
  };
  return [
    "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; img-src data:",
    "connect-src 'self'",
    ...admitted('style'),
    ...admitted('script'),
  ].join('; ');
}
