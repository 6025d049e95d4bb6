-- name: load_table (prepared)
SELECT t.id, t.metadata_location, t.document, t.packed
FROM namespaces n
JOIN tabulars t ON t.namespace_id = n.id
WHERE n.warehouse_id = %(warehouse_id)s AND n.levels = %(levels)s::text[] AND t.name = %(name)s AND t.kind = 'table';

-- name: load_table_pointer (prepared)
SELECT t.id, t.metadata_location
FROM namespaces n
JOIN tabulars t ON t.namespace_id = n.id
WHERE n.warehouse_id = %(warehouse_id)s AND n.levels = %(levels)s::text[] AND t.name = %(name)s AND t.kind = 'table';

-- name: table_exists (prepared)
SELECT t.id, t.location
FROM namespaces n
JOIN tabulars t ON t.namespace_id = n.id
WHERE n.warehouse_id = %(warehouse_id)s AND n.levels = %(levels)s::text[] AND t.name = %(name)s AND t.kind = 'table';

-- No row when the namespace is missing, one row with a null name when it is empty.
-- name: list_tables
SELECT page.name
FROM namespaces n
LEFT JOIN LATERAL (
    SELECT t.name FROM tabulars t
    WHERE t.namespace_id = n.id AND t.kind = 'table' AND t.name > %(after)s
    ORDER BY t.name
    LIMIT %(limit)s
) page ON true
WHERE n.warehouse_id = %(warehouse_id)s AND n.levels = %(levels)s::text[]
ORDER BY page.name;

-- Tables do not overlap: at most one of the keys is the location of one.
-- name: find_table_around
SELECT t.id, n.levels, t.name, t.location
FROM tabulars t
JOIN namespaces n ON n.id = t.namespace_id
WHERE t.warehouse_id = %(warehouse_id)s AND t.location_key = ANY(%(keys)s::text[]) AND t.kind = 'table';
