import { z } from 'zod';
import { DatabaseConfig } from '#service-kit';

export const NotificationConfig = DatabaseConfig.extend({
  /** Where the SMS gateway takes messages. */
  SMS_GATEWAY_URL: z.url(),
});
export type NotificationConfig = z.output<typeof NotificationConfig>;
