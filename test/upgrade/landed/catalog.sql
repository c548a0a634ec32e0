-- CreateCatalog1700000003000

CREATE TABLE product (
  sku         text NOT NULL,
  store       text NOT NULL,
  title       text NOT NULL,
  price_minor bigint NOT NULL CONSTRAINT product_price_not_negative CHECK (price_minor >= 0),
  currency    text NOT NULL,
  CONSTRAINT product_pk PRIMARY KEY (sku)
);

-- Apart from the product: stock changes with every order, a title hardly ever.
CREATE TABLE stock (
  sku       text NOT NULL,
  initial   bigint NOT NULL,
  available bigint NOT NULL,
  reserved  bigint NOT NULL DEFAULT 0,
  sold      bigint NOT NULL DEFAULT 0,
  CONSTRAINT stock_pk PRIMARY KEY (sku),
  CONSTRAINT stock_product_fk FOREIGN KEY (sku) REFERENCES product (sku),
  CONSTRAINT stock_never_oversold CHECK (available >= 0 AND reserved >= 0 AND sold >= 0),
  CONSTRAINT stock_adds_up CHECK (available + reserved + sold = initial)
) WITH (fillfactor = 70);

CREATE TABLE stock_hold (
  order_id uuid NOT NULL,
  sku      text NOT NULL,
  quantity integer NOT NULL CONSTRAINT stock_hold_quantity_positive CHECK (quantity > 0),
  returned integer NOT NULL DEFAULT 0,
  status   text NOT NULL,
  CONSTRAINT stock_hold_pk PRIMARY KEY (order_id, sku),
  CONSTRAINT stock_hold_returned_within CHECK (returned BETWEEN 0 AND quantity),
  CONSTRAINT stock_hold_status_known CHECK (status IN ('reserved', 'sold', 'released'))
);

CREATE TABLE stock_return (
  refund_id uuid NOT NULL,
  sku       text NOT NULL,
  order_id  uuid NOT NULL,
  quantity  integer NOT NULL CONSTRAINT stock_return_quantity_positive CHECK (quantity > 0),
  CONSTRAINT stock_return_pk PRIMARY KEY (refund_id, sku)
);

CREATE TABLE publication (
  id        uuid NOT NULL,
  store     text NOT NULL,
  status    text NOT NULL DEFAULT 'receiving',
  problem   text,
  opened_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT publication_pk PRIMARY KEY (id),
  CONSTRAINT publication_status_known CHECK (status IN ('receiving', 'received', 'broken'))
);

CREATE TABLE publication_chunk (
  publication_id uuid NOT NULL,
  chunk          integer NOT NULL,
  size           integer NOT NULL,
  rows           jsonb,
  published      integer NOT NULL DEFAULT 0,
  unchanged      integer NOT NULL DEFAULT 0,
  done_at        timestamptz,
  CONSTRAINT publication_chunk_pk PRIMARY KEY (publication_id, chunk),
  CONSTRAINT publication_chunk_fk FOREIGN KEY (publication_id) REFERENCES publication (id)
);

CREATE TABLE publication_rejection (
  publication_id uuid NOT NULL,
  line           integer NOT NULL,
  reason         text NOT NULL,
  CONSTRAINT publication_rejection_pk PRIMARY KEY (publication_id, line)
);

INSERT INTO migration (timestamp, name) VALUES (1700000003000, 'CreateCatalog1700000003000');
