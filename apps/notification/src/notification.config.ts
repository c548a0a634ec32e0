import { z } from 'zod';
import { DatabaseConfig } from '#service-kit/config';

export const NotificationConfig = DatabaseConfig.extend({
  /** The base URL of the SMS gateway. */
  SMS_GATEWAY_URL: z.url(),
  /** Our key to it. */
  SMS_API_KEY: z.string().min(16),
});
export type NotificationConfig = z.output<typeof NotificationConfig>;
