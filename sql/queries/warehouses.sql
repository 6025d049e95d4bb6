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

-- name: ensure_default_warehouse
INSERT INTO warehouses (name, prefix, root_location, is_default)
VALUES (%(name)s, %(prefix)s, %(root_location)s, true)
ON CONFLICT (is_default) WHERE is_default
DO UPDATE SET
    name = excluded.name, root_location = excluded.root_location, updated_at = now(),
    version = warehouses.version + 1
WHERE (warehouses.name, warehouses.root_location) IS DISTINCT FROM (excluded.name, excluded.root_location);
