import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const root = join(import.meta.dirname, '..');

/**
 * Code in the documents is code of the project, which is compiled and tested. In a source file:
 *
 *     // #region pay
 *     await buyer.pay(orderId);
 *     // #endregion
 *
 * and in a document, before a fenced block that has exactly these lines:
 *
 *     <!-- code: test/e2e/first.e2e-spec.ts#pay -->
 *
 * `node tools/code-in-docs.js` names each block that differs, `--write` brings it up to date.
 */
const BLOCK = /(<!-- code: (\S+?)#([\w-]+) -->\n(?:<!-- prettier-ignore -->\n)?\n?```\w*\n)([\s\S]*?)(```)/g;
const MARKER = /<!-- code: /g;

/** The lines of a region, without the indentation that they share. @throws Error when there is no such region */
export function regionOf(source, name) {
  const lines = source.split('\n');
  const start = lines.findIndex(line => line.trim() === `// #region ${name}`);
  const length = lines.slice(start + 1).findIndex(line => /^\/\/ #endregion\b/.test(line.trim()));
  if (start < 0 || length < 0)
    throw new Error(`has no region ${name}, from // #region ${name} to // #endregion`);
  // A region may be in another one.
  const region = lines.slice(start + 1, start + 1 + length).filter(line => !/^\s*\/\/ #region /.test(line));
  const indents = region.filter(line => line.trim() !== '').map(line => line.search(/\S/));
  const indent = Math.min(...indents);
  return region.map(line => `${line.slice(indent)}\n`).join('');
}

/**
 * @param readSource the text of a file of the project, by its path; undefined if there is none
 * @returns the document with its blocks brought up to date, and what is wrong with it as it is
 */
export function withCode(document, readSource) {
  const problems = [];
  let found = 0;
  const text = document.replace(BLOCK, (block, head, path, name, code, tail) => {
    found += 1;
    try {
      const source = readSource(path);
      if (source === undefined) throw new Error('does not exist');
      const wanted = regionOf(source, name);
      if (wanted !== code) problems.push(`the code of ${path}#${name} differs`);
      return `${head}${wanted}${tail}`;
    } catch (error) {
      problems.push(`${path} ${error.message}`);
      return block;
    }
  });
  const markers = document.match(MARKER)?.length ?? 0;
  if (markers !== found) problems.push(`${markers - found} markers have no fenced block right below them`);
  return { text, problems };
}

function documentsIn(folder) {
  return readdirSync(join(root, folder), { recursive: true })
    .filter(path => path.endsWith('.md'))
    .map(path => join(folder, path));
}

function main() {
  const readSource = path =>
    existsSync(join(root, path)) ? readFileSync(join(root, path), 'utf8') : undefined;
  const write = process.argv.includes('--write');
  for (const path of ['README.md', 'CONTRIBUTING.md', ...documentsIn('docs'), ...documentsIn('lab')]) {
    const document = readSource(path);
    const { text, problems } = withCode(document, readSource);
    if (write && text !== document) writeFileSync(join(root, path), text);
    const left = write ? withCode(text, readSource).problems : problems;
    for (const problem of left) process.stderr.write(`${path}: ${problem}\n`);
    if (left.length > 0) process.exitCode = 1;
  }
  if (process.exitCode === 1 && !write)
    process.stderr.write('node tools/code-in-docs.js --write copies the code from the sources\n');
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) main();
