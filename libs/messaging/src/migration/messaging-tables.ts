import type { MigrationInterface, QueryRunner } from 'typeorm';
import { CREATE_QUEUE } from '../consumer/claim-queue.js';
import { CREATE_PAUSED } from '../control/sql.js';
import { CREATE_BEGIN_BATCH } from '../inbox/sql.js';
import { CREATE_TIMER } from '../timer/sql.js';
import { CREATE_OUTCOME, CREATE_PARKED } from '../retry/sql.js';
import { CREATE_NEXT_TO_SEND, CREATE_PUBLISH } from '../outbox/sql.js';
import { OperatorTables1700000000002 } from './operator-tables.js';

const TABLES = `
CREATE SCHEMA messaging;

CREATE TABLE messaging.outbox (
  id          bigint GENERATED ALWAYS AS IDENTITY,
  topic       text NOT NULL,
  key         text NOT NULL,
  type        text NOT NULL,
  event_id    uuid NOT NULL,
  traceparent text NOT NULL,
  payload     text NOT NULL,
  created_at  timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT outbox_pk PRIMARY KEY (id)
) WITH (autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 5000);

CREATE TABLE messaging.inbox (
  subscription text NOT NULL,
  message_id   text NOT NULL,
  received_at  timestamptz NOT NULL DEFAULT now(),
  -- What was handled in which order, and in which it was committed: a key is a hash of source, topic and key.
  ordinal      bigint GENERATED ALWAYS AS IDENTITY,
  key_hash     bigint NOT NULL,
  sequence     bigint,
  CONSTRAINT inbox_pk PRIMARY KEY (subscription, message_id)
);
CREATE INDEX inbox_received_at ON messaging.inbox USING brin (received_at);

CREATE TABLE messaging.consumer_progress (
  subscription text NOT NULL,
  topic        text NOT NULL,
  partition    integer NOT NULL,
  epoch        bigint NOT NULL,
  started_at   bigint NOT NULL,
  position     bigint NOT NULL,
  handled      bigint NOT NULL DEFAULT 0,
  skipped      bigint NOT NULL DEFAULT 0,
  duplicate    bigint NOT NULL DEFAULT 0,
  parked       bigint NOT NULL DEFAULT 0,
  dead         bigint NOT NULL DEFAULT 0,
  CONSTRAINT consumer_progress_pk PRIMARY KEY (subscription, topic, partition),
  CONSTRAINT consumer_progress_adds_up CHECK
    (position - started_at = handled + skipped + duplicate + parked + dead)
) WITH (fillfactor = 50);

CREATE TABLE messaging.dead_letter (
  id           uuid NOT NULL,
  subscription text NOT NULL,
  topic        text NOT NULL,
  partition    integer NOT NULL,
  position     bigint NOT NULL,
  key          text NOT NULL,
  headers      text NOT NULL,
  payload      bytea NOT NULL,
  appended_at  timestamptz NOT NULL,
  reason       text NOT NULL,
  errors       jsonb NOT NULL,
  -- Its key waits for what an operator decides.
  holds_key    boolean NOT NULL DEFAULT false,
  dead_at      timestamptz NOT NULL DEFAULT now(),
  status       text NOT NULL DEFAULT 'dead',
  decided_at   timestamptz,
  decided_by   text,
  note         text,
  CONSTRAINT dead_letter_pk PRIMARY KEY (id),
  CONSTRAINT dead_letter_once UNIQUE (subscription, topic, partition, position),
  CONSTRAINT dead_letter_reason_known CHECK (reason IN ('invalid', 'failed')),
  CONSTRAINT dead_letter_status_known CHECK (status IN ('dead', 'replayed', 'discarded'))
);
CREATE INDEX dead_letter_newest ON messaging.dead_letter (dead_at DESC, id);

CREATE TABLE messaging.lease (
  name       text NOT NULL,
  holder     text NOT NULL,
  expires_at timestamptz NOT NULL,
  CONSTRAINT lease_pk PRIMARY KEY (name)
)`;

/** The messaging library's own tables, in schema `messaging` of each service's database. */
export class MessagingTables1700000000001 implements MigrationInterface {
  readonly name = 'MessagingTables1700000000001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(TABLES);
    await runner.query(CREATE_QUEUE);
    await runner.query(CREATE_PUBLISH);
    await runner.query(CREATE_NEXT_TO_SEND);
    await runner.query(CREATE_PAUSED);
    await runner.query(CREATE_PARKED);
    await runner.query(CREATE_OUTCOME);
    await runner.query(CREATE_BEGIN_BATCH);
    await runner.query(CREATE_TIMER);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP SCHEMA messaging CASCADE');
  }
}

/** Migrations that a service puts before its own. */
export const messagingMigrations = [MessagingTables1700000000001, OperatorTables1700000000002];
