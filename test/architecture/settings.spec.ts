import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { settingsReference } from '../../tools/settings/reference.js';

it('docs/settings.md has every setting of every app as it is; if not, npm run settings writes it anew', () => {
  const written = readFileSync(join(import.meta.dirname, '../../docs/settings.md'), 'utf8');
  expect(written).toBe(settingsReference());
});
