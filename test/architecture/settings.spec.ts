import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { settingsReference } from '../../tools/settings/reference.js';

it('docs/settings.md matches the settings of every app; `npm run settings` updates it', () => {
  const written = readFileSync(join(import.meta.dirname, '../../docs/settings.md'), 'utf8');
  expect(written).toBe(settingsReference());
});
