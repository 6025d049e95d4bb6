-- name: load_namespace
SELECT id, location, properties FROM namespaces
WHERE warehouse_id = %(warehouse_id)s AND levels = %(levels)s::text[];

-- name: namespace_exists
SELECT id FROM namespaces WHERE warehouse_id = %(warehouse_id)s AND levels = %(levels)s::text[];

-- name: lock_namespace
SELECT id, location, properties FROM namespaces
WHERE warehouse_id = %(warehouse_id)s AND levels = %(levels)s::text[]
FOR NO KEY UPDATE;

-- name: create_namespace
INSERT INTO namespaces (warehouse_id, parent_id, levels, location, properties)
VALUES (%(warehouse_id)s, %(parent_id)s, %(levels)s::text[], %(location)s, %(properties)s)
RETURNING id;

-- name: update_namespace
UPDATE namespaces SET location = %(location)s, properties = %(properties)s, updated_at = now()
WHERE id = %(id)s;

-- name: drop_namespace
DELETE FROM namespaces WHERE warehouse_id = %(warehouse_id)s AND levels = %(levels)s::text[]
RETURNING id;

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
