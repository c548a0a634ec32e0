import { existsSync, readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import type { ServiceAudit } from '#audit';
import type { AuditReport, Invariant, NumberFact, SetFact } from '#contracts';
import { isQuiet, judgeAll } from '../../apps/gateway/src/admin/invariants.js';

type Fact = SetFact | NumberFact;

/** What each app reports. */
async function audits(): Promise<ServiceAudit[]> {
  const files = readdirSync('apps')
    .map(app => resolve('apps', app, 'src', `${app}.audit.ts`))
    .filter(file => existsSync(file));
  const modules = files.map(
    file => import(pathToFileURL(file).href) as Promise<Record<string, ServiceAudit>>,
  );
  return (await Promise.all(modules)).flatMap(each => Object.values(each));
}

const nameOf = ({ service, name }: Fact) => `${service}: ${name}`;

/** Reports of a shop in which nothing has happened: everything agrees. */
function emptyReports(all: readonly ServiceAudit[]): Map<string, AuditReport> {
  const reports = all.map(({ facts, sets, numbers, invariants, onTheWay = [] }): [string, AuditReport] => [
    Object.values(facts)[0]!.service,
    {
      sets: Object.fromEntries(
        Object.keys(sets).map(name => [name, { count: 0, distinct: 0, checksum: '0' }]),
      ),
      numbers: Object.fromEntries(Object.keys(numbers).map(name => [name, 0])),
      invariants: [...invariants],
      onTheWay: [...onTheWay],
    },
  ]);
  return new Map(reports);
}

const broken = (reports: Map<string, AuditReport>) =>
  judgeAll(reports)
    .filter(each => !each.holds)
    .map(each => each.invariant);

function comparedBy(invariant: Invariant): Fact[] {
  const of = Array.isArray(invariant.of) ? invariant.of : [invariant.of];
  return 'as' in invariant ? [...of, invariant.as] : of;
}

describe('the facts that services report', () => {
  it('are each compared by some invariant', async () => {
    const all = await audits();
    const compared = all
      .flatMap(({ invariants, onTheWay = [] }) => [...invariants.flatMap(comparedBy), ...onTheWay])
      .map(nameOf);
    const reported = all.flatMap(({ facts }) => Object.values(facts)).map(nameOf);
    expect(reported).not.toEqual([]);
    expect(reported.filter(name => !compared.includes(name))).toEqual([]);
  });

  it('break an invariant, or keep the shop from being settled, when one of them alone is off', async () => {
    const all = await audits();
    expect(broken(emptyReports(all))).toEqual([]);
    const silent = all.flatMap(({ facts }) =>
      Object.values(facts).filter(fact => {
        const reports = emptyReports(all);
        const { sets, numbers } = reports.get(fact.service)!;
        if (fact.kind === 'set') sets[fact.name] = { count: 1, distinct: 1, checksum: '1' };
        else numbers[fact.name] = 1;
        return broken(reports).length === 0 && isQuiet(reports);
      }),
    );
    expect(silent.map(nameOf)).toEqual([]);
  });

  it.each<[string, string, string]>([
    ['catalog', 'chunksLeft', 'parts of publications still to be published: 0'],
    ['catalog', 'rowsLost', 'stores whose newest publication lost rows: 0'],
    ['catalog', 'changesOff', 'SKUs whose stock is not what was published and changed: 0'],
    ['order', 'paymentsOff', 'orders paid with another amount than their total: 0'],
    ['recommendation', 'viewsLost', 'views that are in no profile: 0'],
  ])('tell by %s: %s alone that it is not so: %s', async (service, name, invariant) => {
    const reports = emptyReports(await audits());
    reports.get(service)!.numbers[name] = 1;
    expect(broken(reports)).toEqual([invariant]);
  });

  it('are compared by invariants with names of their own', async () => {
    const names = (await audits()).flatMap(({ invariants }) => invariants.map(each => each.invariant));
    expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([]);
  });
});
