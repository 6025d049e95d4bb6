-- No row when the namespace is missing, one row with a null name when it has no functions.
-- name: list_functions
SELECT page.name
FROM namespaces n
LEFT JOIN LATERAL (
    SELECT f.name FROM functions f
    WHERE f.namespace_id = n.id AND f.name > %(after)s
    ORDER BY f.name
    LIMIT %(limit)s
) page ON true
WHERE n.warehouse_id = %(warehouse_id)s AND n.levels = %(levels)s::text[]
ORDER BY page.name;

-- No row when the namespace is missing, one with nulls when the function is.
-- name: load_function
SELECT n.id AS namespace_id, f.id, f.document
FROM namespaces n
LEFT JOIN functions f ON f.namespace_id = n.id AND f.name = %(name)s
WHERE n.warehouse_id = %(warehouse_id)s AND n.levels = %(levels)s::text[];

-- name: create_function
INSERT INTO functions (warehouse_id, namespace_id, name, uuid, document)
VALUES (%(warehouse_id)s, %(namespace_id)s, %(name)s, %(uuid)s, %(document)s)
RETURNING id;

-- name: drop_function
DELETE FROM functions WHERE namespace_id = %(namespace_id)s AND name = %(name)s
RETURNING id;

-- Those that were there when the job was asked for.
-- name: drop_functions_of_namespace
DELETE FROM functions
WHERE namespace_id = %(namespace_id)s AND created_at <= (SELECT created_at FROM jobs WHERE id = %(job_id)s)
RETURNING id, name;
