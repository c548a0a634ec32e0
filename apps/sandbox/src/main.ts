import { readConfig, runService } from '#service-kit';
import { SandboxConfig } from './sandbox.config.js';
import { SandboxModule } from './sandbox.module.js';

const config = readConfig(SandboxConfig);

await runService({
  name: 'sandbox',
  module: SandboxModule,
  config,
  rpcPort: config.RPC_PORT,
  globals: [],
  strategies: [],
  checks: {},
  // The buyer's decision comes from a form.
  http: app => void app.useBodyParser('application/x-www-form-urlencoded'),
});
