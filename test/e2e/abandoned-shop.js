import { startShop } from '../../dist/libs/shop-kit/src/index.js';

/** A program that starts a shop, tells where it is, and never stops it. */
const { dataDir, url, launcher } = await startShop();
process.stdout.write(`${JSON.stringify({ dataDir, url, launcher: launcher.pid })}\n`);
setInterval(() => undefined, 60_000);
