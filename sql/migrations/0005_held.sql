-- oldest-program: 0.1.0
-- Dropped tables and views that a warehouse with soft delete holds. An object keeps its id, so it is either here or in
-- tabulars. Several may share a place or a uuid: a table can be registered from a held one's metadata and dropped again.
-- namespace is the name at the time of the drop; by namespace_id the object follows a rename. There is no foreign key:
-- what is held keeps no namespace alive.

CREATE TABLE held_tabulars (
    id bigint NOT NULL,
    warehouse_id bigint NOT NULL,
    namespace_id bigint NOT NULL,
    namespace text[] COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    kind text NOT NULL,
    uuid uuid,
    location text NOT NULL,
    location_key text COLLATE "C" NOT NULL,
    metadata_location text COLLATE "C" NOT NULL,
    document text NOT NULL,
    protected boolean NOT NULL,
    purge boolean NOT NULL,
    dropped_by text NOT NULL,
    dropped_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT held_tabulars_pkey PRIMARY KEY (id),
    CONSTRAINT held_tabulars_kind_check CHECK (kind IN ('table', 'view')),
    CONSTRAINT held_tabulars_warehouse_fkey FOREIGN KEY (warehouse_id) REFERENCES warehouses (id)
);
CREATE INDEX held_tabulars_warehouse ON held_tabulars (warehouse_id, id);
CREATE INDEX held_tabulars_location ON held_tabulars (warehouse_id, location_key);
CREATE INDEX held_tabulars_metadata_location ON held_tabulars (warehouse_id, metadata_location);
CREATE INDEX held_tabulars_uuid ON held_tabulars (warehouse_id, uuid);
CREATE INDEX held_tabulars_due ON held_tabulars (expires_at);
DO $$
BEGIN
    ALTER TABLE held_tabulars ALTER COLUMN document SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN
    RAISE NOTICE 'this PostgreSQL has no lz4: metadata documents are compressed with pglz';
END
$$;

-- What must not be dropped unless forced.
ALTER TABLE namespaces ADD COLUMN protected boolean NOT NULL DEFAULT false;
ALTER TABLE tabulars ADD COLUMN protected boolean NOT NULL DEFAULT false;
CREATE INDEX namespaces_protected ON namespaces (warehouse_id, levels) WHERE protected;
CREATE INDEX tabulars_protected ON tabulars (namespace_id, name) WHERE protected;
