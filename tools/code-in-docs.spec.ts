import { describe, expect, it } from '@jest/globals';
import { regionOf, withCode } from './code-in-docs.js';

const SOURCE = `function work() {
  // #region pay
  if (due) {
    pay();
  }
  // #endregion
}
`;
const CODE = 'if (due) {\n  pay();\n}\n';
const read = (path: string) => (path === 'a.ts' ? SOURCE : undefined);
const page = (code: string, marker = '<!-- code: a.ts#pay -->\n') =>
  `Pay:\n\n${marker}\n\`\`\`ts\n${code}\`\`\`\n`;

describe('code in documents', () => {
  it('is a region of a source, without the indentation that its lines share', () => {
    expect(regionOf(SOURCE, 'pay')).toBe(CODE);
  });

  it('is right when it has exactly these lines', () => {
    expect(withCode(page(CODE), read)).toEqual({ text: page(CODE), problems: [] });
  });

  it('is told when it differs, and can be brought up to date', () => {
    const { text, problems } = withCode(page('pay();\n'), read) as { text: string; problems: string[] };
    expect(problems).toEqual(['the code of a.ts#pay differs']);
    expect(text).toBe(page(CODE));
  });

  it.each([
    ['<!-- code: b.ts#pay -->\n', 'b.ts does not exist'],
    ['<!-- code: a.ts#sell -->\n', 'a.ts has no region sell'],
    ['<!-- code: a.ts#pay -->\nText.\n', '1 markers have no fenced block'],
  ])('is refused behind %j', (marker, problem) => {
    expect(withCode(page(CODE, marker), read).problems).toEqual([expect.stringContaining(problem)]);
  });
});
