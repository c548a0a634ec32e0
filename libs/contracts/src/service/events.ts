import { z } from 'zod';
import { defineEvent, type EventOf } from '#messaging/message';
import { Text } from '../values.js';

/**
 * A service is running and answers requests. Each instance announces itself at start and every 30 seconds.
 */
export const ServiceAnnounced = defineEvent({
  type: 'service.announced.v1',
  topic: 'service',
  key: event => event.instance,
  schema: z.object({
    service: z.string().regex(/^[a-z][a-z\d-]*$/),
    instance: Text.max(64),
    /** Where it answers requests, `host:port`. */
    address: z.string().regex(/^[\w.:[\]-]+:\d{1,5}$/),
    /** Its subscriptions, by name. */
    subscriptions: z.array(Text.max(200)),
    /** Whether it has facts for an audit. */
    hasFacts: z.boolean(),
  }),
});
export type ServiceAnnounced = EventOf<typeof ServiceAnnounced>;

/** How often an instance announces itself, in ms. */
export const ANNOUNCED_EVERY_MS = 30_000;
