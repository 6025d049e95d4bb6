-- name: load_view (prepared)
SELECT t.id, t.metadata_location, t.document, t.packed
FROM namespaces n
JOIN tabulars t ON t.namespace_id = n.id
WHERE n.warehouse_id = %(warehouse_id)s AND n.levels = %(levels)s::text[] AND t.name = %(name)s AND t.kind = 'view';

-- name: view_exists
SELECT t.id
FROM namespaces n
JOIN tabulars t ON t.namespace_id = n.id
WHERE n.warehouse_id = %(warehouse_id)s AND n.levels = %(levels)s::text[] AND t.name = %(name)s AND t.kind = 'view';

-- No row when the namespace is missing, one row with a null name when it is empty.
-- name: list_views
SELECT page.name
FROM namespaces n
LEFT JOIN LATERAL (
    SELECT t.name FROM tabulars t
    WHERE t.namespace_id = n.id AND t.kind = 'view' AND t.name > %(after)s
    ORDER BY t.name
    LIMIT %(limit)s
) page ON true
WHERE n.warehouse_id = %(warehouse_id)s AND n.levels = %(levels)s::text[]
ORDER BY page.name;
