-- name: load_namespace (prepared)
SELECT id, location, properties FROM namespaces
WHERE warehouse_id = %(warehouse_id)s AND levels = %(levels)s::text[];

-- name: namespace_exists (prepared)
SELECT id FROM namespaces WHERE warehouse_id = %(warehouse_id)s AND levels = %(levels)s::text[];

-- name: lock_namespace
SELECT id, location, properties, protected, pg_current_xact_id()::text::bigint AS xid
FROM namespaces
WHERE warehouse_id = %(warehouse_id)s AND levels = %(levels)s::text[]
FOR NO KEY UPDATE;

-- No row when the warehouse was deleted or given another root meanwhile.
-- name: create_namespace (prepared)
INSERT INTO namespaces (warehouse_id, parent_id, levels, location, properties, owner_id)
SELECT w.id, NULL, %(levels)s::text[], %(location)s, %(properties)s, %(owner_id)s
FROM warehouses w
WHERE w.id = %(warehouse_id)s AND w.root_location = %(root_location)s
FOR KEY SHARE
RETURNING id, pg_current_xact_id()::text::bigint AS xid;

-- No row when the parent was dropped or renamed meanwhile.
-- name: create_child_namespace (prepared)
INSERT INTO namespaces (warehouse_id, parent_id, levels, location, properties, owner_id)
SELECT %(warehouse_id)s, p.id, %(levels)s::text[], %(location)s, %(properties)s, %(owner_id)s
FROM namespaces p
WHERE p.id = %(parent_id)s AND p.levels = %(parent)s::text[]
FOR KEY SHARE
RETURNING id, pg_current_xact_id()::text::bigint AS xid;

-- name: update_namespace
UPDATE namespaces SET location = %(location)s, properties = %(properties)s, updated_at = now()
WHERE id = %(id)s;

-- name: drop_namespace
DELETE FROM namespaces
WHERE warehouse_id = %(warehouse_id)s AND levels = %(levels)s::text[] AND (NOT protected OR %(force)s)
RETURNING id, pg_current_xact_id()::text::bigint AS xid;

-- name: share_namespaces
SELECT id, levels, pg_current_xact_id()::text::bigint AS xid
FROM namespaces
WHERE warehouse_id = %(warehouse_id)s AND (levels = %(one)s::text[] OR levels = %(other)s::text[])
ORDER BY id
FOR KEY SHARE;

-- name: share_namespace
SELECT id, levels FROM namespaces
WHERE warehouse_id = %(warehouse_id)s AND levels = %(levels)s::text[]
FOR KEY SHARE;

-- name: share_namespace_by_id
SELECT id, levels FROM namespaces WHERE id = %(id)s FOR KEY SHARE;

-- name: load_namespace_protection
SELECT id, protected FROM namespaces
WHERE warehouse_id = %(warehouse_id)s AND levels = %(levels)s::text[];

-- name: protect_namespace
UPDATE namespaces SET protected = %(protected)s, updated_at = now() WHERE id = %(id)s;

-- name: list_namespaces
SELECT levels FROM namespaces
WHERE warehouse_id = %(warehouse_id)s AND parent_id IS NULL AND levels > %(after)s::text[]
ORDER BY levels
LIMIT %(limit)s;

-- name: list_child_namespaces
SELECT levels FROM namespaces
WHERE warehouse_id = %(warehouse_id)s AND parent_id = %(parent_id)s AND levels > %(after)s::text[]
ORDER BY levels
LIMIT %(limit)s;
