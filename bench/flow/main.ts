import { cpus, totalmem } from 'node:os';
import { compareModes } from './modes.js';
import { compareRefusals } from './refusals.js';

/** Flow control and peaks, one after the other in the same run. */
const say = (text: string) => process.stdout.write(`${text}\n\n`);

say(await compareModes());
say(await compareRefusals());
await import('./tokens.js');
await import('./publication.js');
say(
  `${cpus().length} cores, ${Math.round(totalmem() / 1024 ** 3)} GiB, Node ${process.versions.node}; the load runs on the same cores`,
);
