import { z } from 'zod';
import { seedDemo } from './seed-demo.js';

/** Opens the demo of a shop that runs elsewhere, such as in containers. */
const { SLUICE_URL, SLUICE_OPERATOR_PASSWORD } = z
  .object({ SLUICE_URL: z.url(), SLUICE_OPERATOR_PASSWORD: z.string() })
  .parse(process.env);
await seedDemo(SLUICE_URL, SLUICE_OPERATOR_PASSWORD);
