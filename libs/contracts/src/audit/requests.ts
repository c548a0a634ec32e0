import { z } from 'zod';
import { defineRequest } from '#messaging/message';
import { IdSet, NumberFact } from './facts.js';
import { Sum } from '../values.js';
import { Invariant } from './invariants.js';

/** A service's answer to an audit: its facts by name, and the invariants that it declares. */
export const AuditReport = z.object({
  sets: z.record(z.string(), IdSet),
  numbers: z.record(z.string(), Sum),
  invariants: z.array(Invariant),
  /** Figures that are zero once nothing is in flight. Until then, an invariant may not hold yet. */
  onTheWay: z.array(NumberFact),
});
export type AuditReport = z.output<typeof AuditReport>;

/** Every service that declares facts answers this request. */
export const getAuditReport = (service: string) =>
  defineRequest({ type: `${service}.get-audit-report.v1`, schema: z.object({}), reply: AuditReport });
