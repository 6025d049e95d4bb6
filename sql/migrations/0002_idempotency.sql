-- oldest-program: 0.1.0
-- What became of requests that carried an Idempotency-Key. A row is written by the transaction of the effect itself.

CREATE TABLE idempotency_keys (
    warehouse_id bigint NOT NULL,
    principal text COLLATE "C" NOT NULL,
    key uuid NOT NULL,
    fingerprint bytea NOT NULL,
    error json,
    result json,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT idempotency_keys_pkey PRIMARY KEY (warehouse_id, principal, key),
    CONSTRAINT idempotency_keys_warehouse_fkey FOREIGN KEY (warehouse_id) REFERENCES warehouses (id)
);
CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);
