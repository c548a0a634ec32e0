import { DataSource } from 'typeorm';
import { databaseOptions } from '#service-kit';
import { CreateSandbox1700000009000 } from './migrations/1700000009000-create-sandbox.js';
import type { SandboxConfig } from './sandbox.config.js';

export class SandboxDatabase extends DataSource {
  constructor(config: SandboxConfig) {
    super({ ...databaseOptions(config), migrations: [CreateSandbox1700000009000] });
  }
}
