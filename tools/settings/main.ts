import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { settingsReference } from './reference.js';

if (process.argv.slice(2).some(word => word === '--help' || word === '-h')) {
  process.stdout.write('npm run settings: writes docs/settings.md from the schemas that the apps read\n');
  process.exit(0);
}
const path = join(import.meta.dirname, '../../../docs/settings.md');
await writeFile(path, settingsReference());
process.stdout.write(`${path} is written\n`);
