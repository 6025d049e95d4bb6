-- oldest-program: 0.1.0
-- Names are compared byte by byte (COLLATE "C"): listings and page tokens rely on that order.

CREATE TABLE warehouses (
    id bigint GENERATED ALWAYS AS IDENTITY,
    name text COLLATE "C" NOT NULL,
    prefix text COLLATE "C" NOT NULL,
    root_location text COLLATE "C" NOT NULL,
    is_default boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT warehouses_pkey PRIMARY KEY (id),
    CONSTRAINT warehouses_name_key UNIQUE (name),
    CONSTRAINT warehouses_prefix_key UNIQUE (prefix)
);
CREATE UNIQUE INDEX warehouses_one_default ON warehouses (is_default) WHERE is_default;

-- The foreign keys to parents settle every race between a drop and a creation inside the dropped namespace.
CREATE TABLE namespaces (
    id bigint GENERATED ALWAYS AS IDENTITY,
    warehouse_id bigint NOT NULL,
    parent_id bigint,
    levels text[] COLLATE "C" NOT NULL,
    location text NOT NULL,
    properties json NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT namespaces_pkey PRIMARY KEY (id),
    CONSTRAINT namespaces_levels_key UNIQUE (warehouse_id, levels),
    CONSTRAINT namespaces_warehouse_fkey FOREIGN KEY (warehouse_id) REFERENCES warehouses (id),
    CONSTRAINT namespaces_parent_fkey FOREIGN KEY (parent_id) REFERENCES namespaces (id)
);
CREATE INDEX namespaces_children ON namespaces (warehouse_id, parent_id, levels);
CREATE INDEX namespaces_parent ON namespaces (parent_id);

-- Tables and views share one space of names and one of locations.
-- document is the current metadata document as it stands in the file at metadata_location.
CREATE TABLE tabulars (
    id bigint GENERATED ALWAYS AS IDENTITY,
    warehouse_id bigint NOT NULL,
    namespace_id bigint NOT NULL,
    name text COLLATE "C" NOT NULL,
    kind text NOT NULL,
    uuid uuid,
    location text NOT NULL,
    location_key text COLLATE "C" NOT NULL,
    metadata_location text COLLATE "C" NOT NULL,
    document text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT tabulars_pkey PRIMARY KEY (id),
    CONSTRAINT tabulars_kind_check CHECK (kind IN ('table', 'view')),
    CONSTRAINT tabulars_name_key UNIQUE (namespace_id, name),
    CONSTRAINT tabulars_uuid_key UNIQUE (warehouse_id, uuid),
    CONSTRAINT tabulars_location_key UNIQUE (warehouse_id, location_key),
    CONSTRAINT tabulars_metadata_location_key UNIQUE (warehouse_id, metadata_location),
    CONSTRAINT tabulars_warehouse_fkey FOREIGN KEY (warehouse_id) REFERENCES warehouses (id),
    CONSTRAINT tabulars_namespace_fkey FOREIGN KEY (namespace_id) REFERENCES namespaces (id)
);
CREATE INDEX tabulars_kind ON tabulars (namespace_id, kind, name);
DO $$
BEGIN
    ALTER TABLE tabulars ALTER COLUMN document SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN
    RAISE NOTICE 'this PostgreSQL has no lz4: metadata documents are compressed with pglz';
END
$$;

-- One row per mutation, written in its transaction, never changed. Partitioned by day.
CREATE SEQUENCE changes_id_seq AS bigint;
CREATE TABLE changes (
    id bigint NOT NULL DEFAULT nextval('changes_id_seq'),
    at timestamptz NOT NULL DEFAULT now(),
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    commit_id uuid NOT NULL,
    warehouse_id bigint NOT NULL,
    action text NOT NULL,
    object_kind text NOT NULL,
    object_id bigint NOT NULL,
    namespace text[] COLLATE "C" NOT NULL,
    name text COLLATE "C",
    before_pointer text,
    after_pointer text,
    details json NOT NULL DEFAULT '{}',
    principal text NOT NULL,
    request_id text NOT NULL,
    CONSTRAINT changes_pkey PRIMARY KEY (at, id)
) PARTITION BY RANGE (at);
CREATE INDEX changes_id ON changes (id);
CREATE INDEX changes_xid ON changes (xid);
CREATE TABLE changes_default PARTITION OF changes DEFAULT;

CREATE FUNCTION create_changes_partition(day date) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    partition_name text := 'changes_' || to_char(day, 'YYYYMMDD');
BEGIN
    IF to_regclass(partition_name) IS NOT NULL
        OR EXISTS (SELECT FROM changes_default WHERE at >= day AND at < day + 1) THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE %I PARTITION OF changes FOR VALUES FROM (%L) TO (%L)',
        partition_name, day::timestamptz, (day + 1)::timestamptz);
    RETURN true;
END
$$;

CREATE FUNCTION drop_changes_partitions(before date) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    partition_name text;
    dropped bigint := 0;
BEGIN
    FOR partition_name IN
        SELECT relid::regclass::text FROM pg_partition_tree('changes')
        WHERE isleaf AND relid::regclass::text ~ '^changes_[0-9]{8}$'
            AND right(relid::regclass::text, 8) < to_char(before, 'YYYYMMDD')
    LOOP
        EXECUTE format('DROP TABLE %I', partition_name);
        dropped := dropped + 1;
    END LOOP;
    DELETE FROM changes_default WHERE at < before;
    RETURN dropped;
END
$$;
SELECT create_changes_partition((current_date + day)::date) FROM generate_series(0, 7) AS day;

-- The durable queue. A running job whose heartbeat is old belongs to a dead owner and is taken over.
CREATE TABLE jobs (
    id bigint GENERATED ALWAYS AS IDENTITY,
    kind text NOT NULL,
    payload jsonb NOT NULL,
    status text NOT NULL DEFAULT 'queued',
    owner text,
    heartbeat_at timestamptz,
    run_at timestamptz NOT NULL DEFAULT now(),
    attempts integer NOT NULL DEFAULT 0,
    period interval,
    message text,
    progress jsonb,
    created_at timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz,
    finished_at timestamptz,
    CONSTRAINT jobs_pkey PRIMARY KEY (id),
    CONSTRAINT jobs_status_check
        CHECK (status IN ('queued', 'running', 'retrying', 'completed', 'failed', 'cancelled'))
);
CREATE INDEX jobs_due ON jobs (run_at) WHERE status IN ('queued', 'retrying');
CREATE UNIQUE INDEX jobs_periodic ON jobs (kind)
    WHERE period IS NOT NULL AND status IN ('queued', 'running', 'retrying');
CREATE INDEX jobs_purged_locations ON jobs ((payload ->> 'location_key') COLLATE "C")
    WHERE kind = 'purge';
CREATE INDEX jobs_heartbeat ON jobs (heartbeat_at) WHERE status = 'running';
CREATE INDEX jobs_finished ON jobs (finished_at) WHERE status IN ('completed', 'failed', 'cancelled');
