import type { INestApplication } from '@nestjs/common';
import { SERVICE_AUDIT } from '#audit';
import { ANNOUNCED_EVERY_MS, ServiceAnnounced } from '#contracts';
import { BackgroundTask, envelop, MessagingServer, toWire, type Transport } from '#messaging';

/**
 * Announces to the gateways that this instance is running, where it answers and what it has, now and every 30
 * seconds.
 * @returns a function that stops the announcements
 */
export function announce(
  app: INestApplication,
  transport: Transport,
  who: { readonly service: string; readonly instance: string; readonly address: string },
): () => Promise<void> {
  const subscriptions = app.get(MessagingServer).subscriptions.map(({ name }) => name);
  const hasFacts = isProvided(app, SERVICE_AUDIT);
  const task = new BackgroundTask(
    async () => {
      await transport.ensureTopics([{ name: ServiceAnnounced.topic, partitions: 1 }]);
      const announced = envelop(ServiceAnnounced, { ...who, subscriptions, hasFacts });
      await transport.publish([toWire(announced, who.service)]);
      return ANNOUNCED_EVERY_MS;
    },
    // A missed announcement does no harm: the next one follows, and the configuration names most instances
    // anyway.
    { backoff: { firstMs: ANNOUNCED_EVERY_MS, longestMs: ANNOUNCED_EVERY_MS }, onError: () => undefined },
  );
  task.start();
  return () => task.stop();
}

function isProvided(app: INestApplication, token: symbol): boolean {
  try {
    app.get(token, { strict: false });
    return true;
  } catch {
    return false;
  }
}
