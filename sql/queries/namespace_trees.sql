-- A namespace with everything below it: its levels up to, but without, a bound behind its last descendant.

-- One rename at a time in a warehouse: two of them could wait for each other.
-- name: lock_namespace_renames
SELECT pg_advisory_xact_lock(hashtextextended('namespaces', %(warehouse_id)s));

-- name: lock_namespace_tree
SELECT id, levels FROM namespaces
WHERE warehouse_id = %(warehouse_id)s AND levels >= %(levels)s::text[] AND levels < %(beyond)s::text[]
ORDER BY id
FOR UPDATE;

-- name: rename_namespaces
UPDATE namespaces
SET levels = %(destination)s::text[] || levels[cardinality(%(levels)s::text[]) + 1:],
    parent_id = CASE WHEN id = %(id)s THEN %(parent_id)s ELSE parent_id END,
    updated_at = now()
WHERE warehouse_id = %(warehouse_id)s AND levels >= %(levels)s::text[] AND levels < %(beyond)s::text[];

-- What keeps a tree from being dropped; name is null for a namespace.
-- name: find_protected
SELECT n.levels, NULL AS kind, NULL AS name FROM namespaces n
WHERE n.warehouse_id = %(warehouse_id)s AND n.levels >= %(levels)s::text[] AND n.levels < %(beyond)s::text[]
    AND n.protected
UNION ALL
SELECT n.levels, t.kind, t.name
FROM namespaces n
JOIN tabulars t ON t.namespace_id = n.id AND t.protected
WHERE n.warehouse_id = %(warehouse_id)s AND n.levels >= %(levels)s::text[] AND n.levels < %(beyond)s::text[]
LIMIT 1;

-- name: find_namespace_by_id
SELECT levels FROM namespaces WHERE id = %(id)s;

-- Descendants sort behind their ancestors.
-- name: find_last_of_tree
SELECT id, levels FROM namespaces
WHERE warehouse_id = %(warehouse_id)s AND levels >= %(levels)s::text[] AND levels < %(beyond)s::text[]
ORDER BY levels DESC
LIMIT 1;

-- Tables and views that were there when the job was made.
-- name: lock_droppable
SELECT
    t.id, t.kind, t.name, t.metadata_location, t.protected,
    (SELECT soft_delete_seconds FROM warehouses WHERE id = %(warehouse_id)s) AS hold
FROM tabulars t
WHERE t.id = ANY(ARRAY(
    SELECT id FROM tabulars
    WHERE namespace_id = %(namespace_id)s
        AND created_at <= (SELECT created_at FROM jobs WHERE id = %(job_id)s)
    ORDER BY name
    LIMIT %(limit)s
))
ORDER BY t.id
FOR UPDATE;

-- name: lock_namespace_by_id
SELECT levels, protected FROM namespaces WHERE id = %(id)s FOR UPDATE;

-- name: drop_namespace_by_id
DELETE FROM namespaces
WHERE id = %(id)s AND created_at <= (SELECT created_at FROM jobs WHERE id = %(job_id)s)
RETURNING id;
