import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { root } from './prepare.js';

/**
 * Checks that a migration never changes once it has landed, because databases have already run it.
 * migrations.lock.json has the hash of each landed migration. `--accept` adds new ones; it changes none.
 */
const LOCK = join(root, 'migrations.lock.json');
const accept = process.argv.includes('--accept');
const landed = existsSync(LOCK) ? JSON.parse(readFileSync(LOCK, 'utf8')) : {};
const problems = [];
const present = ['apps', 'libs'].flatMap(folder => list(join(root, folder))).sort();
for (const path of present) {
  const hash = createHash('sha256')
    .update(readFileSync(join(root, path)))
    .digest('hex');
  if (landed[path] === undefined) {
    if (accept) landed[path] = hash;
    else
      problems.push(`${path} is new; when it is ready to land, run node tools/check-migrations.js --accept`);
  } else if (landed[path] !== hash) {
    problems.push(`${path} has landed and was changed; undo the change and write a new migration`);
  }
}
for (const path of Object.keys(landed))
  if (!present.includes(path)) problems.push(`${path} has landed and is missing; restore it`);
for (const problem of problems) process.stderr.write(`${problem}\n`);
if (accept) {
  const sorted = Object.fromEntries(Object.entries(landed).sort(([a], [b]) => (a < b ? -1 : 1)));
  writeFileSync(LOCK, `${JSON.stringify(sorted, null, 2)}\n`);
}
process.exit(problems.length === 0 ? 0 : 1);

/** Files such as `migrations/1700000001000-create-orders.ts`. */
function list(folder) {
  return readdirSync(folder).flatMap(name => {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) return list(path);
    return /migrations?[\\/]\d+-[a-z\d-]+\.ts$/.test(path) ? [relative(root, path)] : [];
  });
}
