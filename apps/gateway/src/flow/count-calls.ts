import { Counter, Gauge, type Registry } from 'prom-client';
import type { Admission } from '#messaging';

/** Calls by what they take tokens of, as the routes name it: all campaigns are one. */
export function countCalls(registry: Registry, admission: Admission): void {
  new Gauge({
    name: 'sluice_flow_buckets',
    help: 'Token buckets that this gateway knows.',
    registers: [registry],
    collect() {
      this.set(admission.size);
    },
  });
  new Counter({
    name: 'sluice_flow_calls_total',
    help: 'Calls to routes with a token bucket, by bucket and outcome.',
    labelNames: ['bucket', 'outcome'],
    registers: [registry],
    collect() {
      this.reset();
      for (const [bucket, { admitted, refused }] of admission.counts) {
        this.inc({ bucket, outcome: 'admitted' }, admitted);
        this.inc({ bucket, outcome: 'refused' }, refused);
      }
    },
  });
}
