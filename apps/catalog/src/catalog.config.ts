import { z } from 'zod';
import { DatabaseConfig } from '#service-kit/config';

export const CatalogConfig = DatabaseConfig.extend({
  PUBLICATION_RATE: z.coerce
    .number()
    .int()
    .positive()
    .max(1_000_000)
    .default(12_000)
    .describe('Maximum number of rows a second that all publications together are worked off at'),
});
export type CatalogConfig = z.output<typeof CatalogConfig>;
