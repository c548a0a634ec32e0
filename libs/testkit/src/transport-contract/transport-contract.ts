import { afterAll, afterEach, beforeAll, describe } from '@jest/globals';
import { acknowledges } from './acknowledgement.js';
import { staysWithinBounds } from './bounds.js';
import { Contract, type TransportUnderTest } from './contract.js';
import { delivers } from './delivery.js';
import { sharesAmongGroups } from './groups.js';
import { keepsOrder } from './order.js';

/** Holds a transport to everything that the port promises, one part per subject. */
export function transportContract(name: string, start: () => Promise<TransportUnderTest>): void {
  describe(`transport contract: ${name}`, () => {
    const contract = new Contract();

    beforeAll(() => contract.start(start));
    afterEach(() => contract.reset());
    afterAll(() => contract.subject.stop());

    delivers(contract);
    keepsOrder(contract);
    acknowledges(contract);
    sharesAmongGroups(contract);
    staysWithinBounds(contract);
  });
}
