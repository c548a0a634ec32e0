import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { settingsReference } from './reference.js';

const path = join(import.meta.dirname, '../../../docs/settings.md');
await writeFile(path, settingsReference());
process.stdout.write(`${path} is written\n`);
