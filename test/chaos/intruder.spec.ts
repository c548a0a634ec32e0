import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { claimedChannel, handledChannel, sentChannel, settledChannel } from '#messaging';

describe('the intruder', () => {
  it('listens where the library speaks', () => {
    const intruder = readFileSync(join(import.meta.dirname, 'intruder.js'), 'utf8');
    const channels = [claimedChannel, handledChannel, settledChannel, sentChannel];
    const named = Array.from(intruder.matchAll(/'(sluice:[a-z:]+)'/g), ([, name]) => name);
    expect(named).toEqual(channels.map(({ name }) => name));
  });
});
