-- Dropped tables and views that are held, and the drops that bring them there.

-- name: hold_tabular
WITH dropped AS (
    DELETE FROM tabulars WHERE id = %(id)s
    RETURNING
        id, warehouse_id, namespace_id, name, kind, uuid, location, location_key, metadata_location, document,
        packed, protected, created_at, owner_id
)
INSERT INTO held_tabulars (
    id, warehouse_id, namespace_id, namespace, name, kind, uuid, location, location_key, metadata_location, document,
    packed, protected, purge, dropped_by, expires_at, created_at, owner_id
)
SELECT
    id, warehouse_id, namespace_id, %(levels)s::text[], name, kind, uuid, location, location_key, metadata_location,
    document, packed, protected, %(purge)s, %(principal)s, now() + make_interval(secs => %(hold)s), created_at,
    owner_id
FROM dropped
RETURNING expires_at;

-- name: delete_tabular
DELETE FROM tabulars WHERE id = %(id)s
RETURNING id, metadata_location, document, packed;

-- The namespace is called what it is called now, or by its last name if it is gone.
-- name: list_held
SELECT
    h.id, h.kind, coalesce(n.levels, h.namespace) AS namespace, h.name, h.uuid::text AS uuid, h.location,
    h.metadata_location, h.protected, h.purge, h.dropped_by, h.dropped_at, h.expires_at
FROM held_tabulars h
LEFT JOIN namespaces n ON n.id = h.namespace_id
WHERE h.warehouse_id = %(warehouse_id)s AND h.id > %(after)s
ORDER BY h.id
LIMIT %(limit)s;

-- name: lock_held
SELECT
    id, warehouse_id, namespace_id, namespace, name, kind, uuid::text AS uuid, location, metadata_location, document,
    packed, purge
FROM held_tabulars
WHERE id = %(id)s AND warehouse_id = %(warehouse_id)s
FOR UPDATE;

-- name: lock_due_held
SELECT
    id, warehouse_id, namespace_id, namespace, name, kind, uuid::text AS uuid, location, metadata_location, document,
    packed, purge
FROM held_tabulars
WHERE id = %(id)s AND expires_at <= now()
FOR UPDATE SKIP LOCKED;

-- name: list_due_held
SELECT id FROM held_tabulars WHERE expires_at <= now() ORDER BY expires_at LIMIT %(limit)s;

-- name: delete_held
DELETE FROM held_tabulars WHERE id = %(id)s;

-- Another row, live or held, of the very table.
-- name: find_same_tabular
SELECT id FROM tabulars WHERE warehouse_id = %(warehouse_id)s AND uuid = %(uuid)s::uuid
UNION ALL
SELECT id FROM held_tabulars WHERE warehouse_id = %(warehouse_id)s AND uuid = %(uuid)s::uuid AND id <> %(id)s
LIMIT 1;

-- name: undrop_tabular
WITH held AS (
    DELETE FROM held_tabulars WHERE id = %(id)s
    RETURNING
        id, warehouse_id, kind, uuid, location, location_key, metadata_location, document, packed, protected,
        created_at, owner_id
)
INSERT INTO tabulars (
    id, warehouse_id, namespace_id, name, kind, uuid, location, location_key, metadata_location, document, packed,
    protected, created_at, owner_id
)
OVERRIDING SYSTEM VALUE
SELECT
    id, warehouse_id, %(namespace_id)s, %(name)s, kind, uuid, location, location_key, metadata_location, document,
    packed, protected, created_at, owner_id
FROM held
RETURNING id;

-- What the namespace is called now, or was when it was dropped if it is gone.
-- name: find_namespace_of_held
SELECT coalesce(n.levels, h.namespace) AS levels
FROM held_tabulars h
LEFT JOIN namespaces n ON n.id = h.namespace_id
WHERE h.id = %(id)s AND h.warehouse_id = %(warehouse_id)s;
