import { z } from 'zod';
import * as contracts from '#contracts';
import type { EventDefinition } from '#messaging';

/** Every event of the shop as an AsyncAPI 3 document, generated from the contracts. */
export function asyncApi(): object {
  const events = (Object.values(contracts) as unknown[]).filter(isEvent);
  const topics = [...new Set(events.map(event => event.topic))].sort();
  const messages = Object.fromEntries(events.map(event => [event.type, toMessage(event)]));
  return {
    asyncapi: '3.0.0',
    info: { title: 'Sluice', version: '1', description: 'The events that the services exchange.' },
    defaultContentType: 'application/json',
    channels: Object.fromEntries(
      topics.map(topic => [
        topic,
        {
          address: topic,
          messages: Object.fromEntries(
            events
              .filter(event => event.topic === topic)
              .map(event => [event.type, { $ref: `#/components/messages/${event.type}` }]),
          ),
        },
      ]),
    ),
    components: { messages },
  };
}

function toMessage(event: EventDefinition): object {
  return { name: event.type, title: event.type, payload: z.toJSONSchema(event.schema, { io: 'input' }) };
}

function isEvent(value: unknown): value is EventDefinition {
  return (
    typeof value === 'object' && value !== null && 'topic' in value && 'schema' in value && 'type' in value
  );
}
