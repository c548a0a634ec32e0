import { z } from 'zod';
import { DatabaseConfig } from '#service-kit/config';

export const NotificationConfig = DatabaseConfig.extend({
  SMS_GATEWAY_URL: z.url().describe('The base URL of the SMS gateway'),
  SMS_API_KEY: z.string().min(16).describe('Our key to the SMS gateway'),
});
export type NotificationConfig = z.output<typeof NotificationConfig>;
