import { DataSource } from 'typeorm';
import { databaseOptions } from '#service-kit';
import { CreateSandbox1700000009000 } from './migrations/1700000009000-create-sandbox.js';
import { CreatePages1700000009001 } from './migrations/1700000009001-create-pages.js';
import { AddFailStatus1700000009002 } from './migrations/1700000009002-add-fail-status.js';
import type { SandboxConfig } from './sandbox.config.js';

export class SandboxDatabase extends DataSource {
  constructor(config: SandboxConfig) {
    super({
      ...databaseOptions(config),
      migrations: [CreateSandbox1700000009000, CreatePages1700000009001, AddFailStatus1700000009002],
    });
  }
}
