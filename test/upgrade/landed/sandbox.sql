CREATE TABLE migration (id serial NOT NULL, timestamp bigint NOT NULL, name character varying NOT NULL, CONSTRAINT "PK_3043fc6b8af7c99b8b98830094f" PRIMARY KEY (id));

-- CreateSandbox1700000009000

CREATE TABLE checkout (
  payment_id   uuid NOT NULL,
  amount_minor bigint NOT NULL,
  currency     text NOT NULL,
  callback_url text NOT NULL,
  outcome      text,
  opened_at    timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT checkout_pk PRIMARY KEY (payment_id)
);

CREATE TABLE refund (
  id           text NOT NULL,
  payment_id   uuid NOT NULL,
  amount_minor bigint NOT NULL,
  times        integer NOT NULL DEFAULT 1,
  given_at     timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT refund_pk PRIMARY KEY (id),
  CONSTRAINT refund_checkout_fk FOREIGN KEY (payment_id) REFERENCES checkout (payment_id)
);

CREATE TABLE callback (
  id           uuid NOT NULL DEFAULT gen_random_uuid(),
  payment_id   uuid NOT NULL,
  url          text NOT NULL,
  body         text NOT NULL,
  attempts     integer NOT NULL DEFAULT 0,
  due_at       timestamptz NOT NULL,
  delivered_at timestamptz,
  answer       integer,
  CONSTRAINT callback_pk PRIMARY KEY (id)
);
CREATE INDEX callback_due ON callback (due_at) WHERE delivered_at IS NULL;

CREATE TABLE sms (
  id          text NOT NULL,
  recipient   text NOT NULL,
  text        text NOT NULL,
  times       integer NOT NULL DEFAULT 1,
  received_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT sms_pk PRIMARY KEY (id)
);
CREATE INDEX sms_recipient ON sms (recipient, received_at DESC);

CREATE TABLE webhook (
  id          text NOT NULL,
  type        text NOT NULL,
  body        text NOT NULL,
  times       integer NOT NULL DEFAULT 1,
  received_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT webhook_pk PRIMARY KEY (id)
);

CREATE TABLE fault (
  part       text NOT NULL,
  delay_ms   integer NOT NULL DEFAULT 0,
  fail_rate  double precision NOT NULL DEFAULT 0,
  duplicates integer NOT NULL DEFAULT 0,
  CONSTRAINT fault_pk PRIMARY KEY (part)
);

INSERT INTO migration (timestamp, name) VALUES (1700000009000, 'CreateSandbox1700000009000');

-- CreatePages1700000009001

CREATE TABLE page (
        id          text NOT NULL,
        body        jsonb NOT NULL,
        times       integer NOT NULL DEFAULT 1,
        received_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT page_pk PRIMARY KEY (id)
      );

INSERT INTO migration (timestamp, name) VALUES (1700000009001, 'CreatePages1700000009001');

-- AddFailStatus1700000009002

ALTER TABLE fault ADD COLUMN fail_status integer NOT NULL DEFAULT 503;

INSERT INTO migration (timestamp, name) VALUES (1700000009002, 'AddFailStatus1700000009002');
