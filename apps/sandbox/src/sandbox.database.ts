import { CreateSandbox1700000009000 } from './migrations/1700000009000-create-sandbox.js';
import { CreatePages1700000009001 } from './migrations/1700000009001-create-pages.js';
import { AddFailStatus1700000009002 } from './migrations/1700000009002-add-fail-status.js';

/** The tables of the service. They record what arrived, mostly by upserts, so there are no entities. */
export const sandboxDatabase = {
  entities: [],
  migrations: [CreateSandbox1700000009000, CreatePages1700000009001, AddFailStatus1700000009002],
};
