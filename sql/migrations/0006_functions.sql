-- oldest-program: 0.1.0
-- Functions have a space of names of their own. document is the metadata as it was sent.

CREATE TABLE functions (
    id bigint GENERATED ALWAYS AS IDENTITY,
    warehouse_id bigint NOT NULL,
    namespace_id bigint NOT NULL,
    name text COLLATE "C" NOT NULL,
    uuid uuid NOT NULL,
    document text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT functions_pkey PRIMARY KEY (id),
    CONSTRAINT functions_name_key UNIQUE (namespace_id, name),
    CONSTRAINT functions_uuid_key UNIQUE (warehouse_id, uuid),
    CONSTRAINT functions_warehouse_fkey FOREIGN KEY (warehouse_id) REFERENCES warehouses (id),
    CONSTRAINT functions_namespace_fkey FOREIGN KEY (namespace_id) REFERENCES namespaces (id)
);
