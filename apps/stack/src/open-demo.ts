import { z } from 'zod';
import { openDemo } from './demo.js';

/** Opens the demo of a shop that others started, such as containers. */
const { SLUICE_URL, SLUICE_OPERATOR_PASSWORD } = z
  .object({ SLUICE_URL: z.url(), SLUICE_OPERATOR_PASSWORD: z.string() })
  .parse(process.env);
await openDemo(SLUICE_URL, SLUICE_OPERATOR_PASSWORD);
