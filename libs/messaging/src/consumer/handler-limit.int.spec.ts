import { describe, expect, it } from '@jest/globals';
import { Gate, useParking } from '#testkit';

describe('a handler that never ends', () => {
  const parking = useParking();
  const { consume, publish, progressIs, recording } = parking;

  it('is abandoned, its message is parked like any that fails, and what it does later is void', async () => {
    const gate = new Gate();
    const late = Promise.withResolvers<unknown>();
    parking.timeoutMs = 200;
    parking.handle = async (event, tx) => {
      if (event.key !== 'stuck') return recording(event, tx);
      await gate.opened;
      late.resolve(recording(event, tx).catch((error: unknown) => error));
    };
    await publish({ key: 'stuck', n: 1 }, { key: 'a', n: 2 });
    await consume();
    await progressIs({ handled: 1, parked: 1, dead: 0, discarded: 0 });
    gate.release();
    expect(await late.promise).toBeInstanceOf(Error);
    expect(await parking.fixture.effects()).toEqual(['a2']);
    const [{ errors }] = (await parking.fixture.database.query('SELECT errors FROM messaging.parked')) as [
      { errors: { error: string }[] },
    ];
    expect(errors[0]!.error).toContain('did not end within 200 ms');
  });
});
