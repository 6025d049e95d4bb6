-- name: load_default_warehouse
SELECT
    id, name, prefix, root_location, is_default, active, protected, soft_delete_seconds,
    storage_profile, sealed_secret, version, created_at, updated_at
FROM warehouses
WHERE is_default;

-- name: load_warehouse
SELECT
    id, name, prefix, root_location, is_default, active, protected, soft_delete_seconds,
    storage_profile, sealed_secret, version, created_at, updated_at
FROM warehouses
WHERE name = %(name)s;

-- name: load_warehouse_by_id
SELECT
    id, name, prefix, root_location, is_default, active, protected, soft_delete_seconds,
    storage_profile, sealed_secret, version, created_at, updated_at
FROM warehouses
WHERE id = %(id)s;

-- name: load_warehouse_by_prefix
SELECT
    id, name, prefix, root_location, is_default, active, protected, soft_delete_seconds,
    storage_profile, sealed_secret, version, created_at, updated_at
FROM warehouses
WHERE prefix = %(prefix)s;

-- name: list_warehouses
SELECT
    id, name, prefix, root_location, is_default, active, protected, soft_delete_seconds,
    storage_profile, sealed_secret, version, created_at, updated_at
FROM warehouses
WHERE name > %(after)s
ORDER BY name
LIMIT %(limit)s;

-- name: list_visible_warehouses
SELECT
    id, name, prefix, root_location, is_default, active, protected, soft_delete_seconds,
    storage_profile, sealed_secret, version, created_at, updated_at
FROM warehouses
WHERE id = ANY(%(ids)s::bigint[]) AND name > %(after)s
ORDER BY name
LIMIT %(limit)s;

-- name: ensure_default_warehouse
INSERT INTO warehouses (name, prefix, root_location, is_default)
VALUES (%(name)s, %(prefix)s, %(root_location)s, true)
ON CONFLICT (is_default) WHERE is_default
DO UPDATE SET
    name = excluded.name, root_location = excluded.root_location, updated_at = now(),
    version = warehouses.version + 1
WHERE (warehouses.name, warehouses.root_location) IS DISTINCT FROM (excluded.name, excluded.root_location)
RETURNING id, name, root_location, version;

-- Whoever creates a warehouse or changes one's place waits here: places of two warehouses must not meet.
-- The number is arbitrary; every node takes the same one.
-- name: lock_warehouses
SELECT pg_advisory_xact_lock(8247051913);

-- name: lock_warehouse
SELECT id, name, version, protected FROM warehouses WHERE id = %(id)s FOR UPDATE;

-- name: create_warehouse
INSERT INTO warehouses (
    name, prefix, root_location, protected, soft_delete_seconds, storage_profile, sealed_secret, owner_id
)
VALUES (
    %(name)s, %(prefix)s, %(root_location)s, %(protected)s, %(soft_delete_seconds)s, %(storage_profile)s,
    %(sealed_secret)s, %(owner_id)s
)
RETURNING
    id, name, prefix, root_location, is_default, active, protected, soft_delete_seconds,
    storage_profile, sealed_secret, version, created_at, updated_at;

-- name: update_warehouse
UPDATE warehouses
SET name = %(name)s, root_location = %(root_location)s, active = %(active)s, protected = %(protected)s,
    soft_delete_seconds = %(soft_delete_seconds)s, storage_profile = %(storage_profile)s,
    sealed_secret = %(sealed_secret)s, version = version + 1, updated_at = now()
WHERE id = %(id)s
RETURNING
    id, name, prefix, root_location, is_default, active, protected, soft_delete_seconds,
    storage_profile, sealed_secret, version, created_at, updated_at;

-- name: delete_warehouse
DELETE FROM warehouses WHERE id = %(id)s
RETURNING id, name;

-- Jobs of a warehouse need its storage; those not done are few.
-- name: find_content_of_warehouse
SELECT
    EXISTS (SELECT FROM namespaces WHERE warehouse_id = %(warehouse_id)s) AS namespaces,
    EXISTS (SELECT FROM held_tabulars WHERE warehouse_id = %(warehouse_id)s) AS held,
    EXISTS (
        SELECT FROM jobs
        WHERE status IN ('queued', 'retrying')
            AND payload ->> 'warehouse_id' = (%(warehouse_id)s)::text
    ) OR EXISTS (
        SELECT FROM jobs
        WHERE status = 'running'
            AND payload ->> 'warehouse_id' = (%(warehouse_id)s)::text
    ) AS jobs;
