import { subscribe } from 'node:diagnostics_channel';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Loaded into every app of a shop under test (`NODE_OPTIONS=--import …?dir=`): does to its own process what nobody
 * can do from outside. On SIGUSR2 it reads what to do from `<dir>/<instance>.json`. It reports in a
 * file what it did.
 */
const CHANNELS = {
  'between claim and effect': 'sluice:consumer:claimed',
  'between handler and commit': 'sluice:consumer:handled',
  'between commit and acknowledge': 'sluice:consumer:settled',
  'between send and delete': 'sluice:relay:sent',
};

const CHAOS_DIR = new URL(import.meta.url).searchParams.get('dir') ?? undefined;
const { SLUICE_INSTANCE } = process.env;
if (CHAOS_DIR !== undefined && SLUICE_INSTANCE !== undefined) {
  process.on('SIGUSR2', () => {
    const order = JSON.parse(readFileSync(join(CHAOS_DIR, `${SLUICE_INSTANCE}.json`), 'utf8'));
    if (order.dieAt !== undefined) dieAt(order.dieAt, order.receipt);
    if (order.clockMs !== undefined) setClock(order.clockMs);
  });
}

/** Dies the next time that the code reaches the point, not a line later; unless the receipt is there already. */
function dieAt(point, receipt) {
  subscribe(CHANNELS[point], () => {
    try {
      writeFileSync(join(CHAOS_DIR, receipt), '', { flag: 'wx' });
    } catch {
      return;
    }
    process.kill(process.pid, 'SIGKILL');
  });
}

const RealDate = Date;

/** Shifts the time by this offset, for everything in this process. */
function setClock(offsetMs) {
  function ShiftedDate(...args) {
    if (new.target === undefined) return new ShiftedDate().toString();
    return Reflect.construct(RealDate, args.length > 0 ? args : [ShiftedDate.now()], new.target);
  }
  Object.setPrototypeOf(ShiftedDate, RealDate);
  ShiftedDate.prototype = RealDate.prototype;
  ShiftedDate.now = () => RealDate.now() + offsetMs;
  globalThis.Date = ShiftedDate;
}
