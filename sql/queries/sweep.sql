-- What the search for orphaned metadata files goes by: by id, a page at a time.

-- name: list_places_of_tabulars
SELECT id, warehouse_id, location, metadata_location FROM tabulars
WHERE id > %(after)s
ORDER BY id
LIMIT %(limit)s;

-- name: list_places_of_held
SELECT id, warehouse_id, location, metadata_location FROM held_tabulars
WHERE id > %(after)s
ORDER BY id
LIMIT %(limit)s;

-- name: list_places_of_namespaces
SELECT id, warehouse_id, location FROM namespaces
WHERE id > %(after)s
ORDER BY id
LIMIT %(limit)s;

-- What has its location at one of the given places, with its name of now or, if it is held, of its drop.
-- name: find_objects_at_places
SELECT t.warehouse_id, n.levels AS namespace, t.name, t.metadata_location
FROM warehouses w
JOIN tabulars t ON t.warehouse_id = w.id AND t.location_key = ANY(%(keys)s::text[])
JOIN namespaces n ON n.id = t.namespace_id
UNION ALL
SELECT h.warehouse_id, h.namespace, h.name, h.metadata_location
FROM warehouses w
JOIN held_tabulars h ON h.warehouse_id = w.id AND h.location_key = ANY(%(keys)s::text[]);

-- name: find_pointers_of_object
SELECT after_pointer FROM changes
WHERE warehouse_id = %(warehouse_id)s AND namespace = %(namespace)s::text[] AND name = %(name)s
    AND split_part(after_pointer, '/', -1) = ANY(%(names)s::text[]);

-- The clock that counts, and since when the change log is complete.
-- name: read_times_of_changes
SELECT
    extract(epoch FROM now())::float8 AS now,
    extract(epoch FROM (SELECT at FROM changes WHERE at > '-infinity' ORDER BY at LIMIT 1))::float8 AS since;

-- name: find_pointers_in_changes
SELECT DISTINCT after_pointer FROM changes
WHERE at >= to_timestamp(%(since)s) AND at < to_timestamp(%(until)s) AND split_part(after_pointer, '/', -1) = ANY(%(names)s::text[]);

-- Who adopts a file must not do so while it is deleted. A job that has just ended counts: whoever asks may have read
-- the file before.
-- name: find_deletion_of_orphan
SELECT id FROM jobs
WHERE status IN ('queued', 'retrying') AND kind = 'delete-orphans' AND payload -> 'files' ? %(key)s
UNION ALL
SELECT id FROM jobs
WHERE status = 'running' AND kind = 'delete-orphans' AND payload -> 'files' ? %(key)s
UNION ALL
SELECT id FROM jobs
WHERE status IN ('completed', 'failed', 'cancelled') AND finished_at > now() - interval '1 minute'
    AND kind = 'delete-orphans' AND payload -> 'files' ? %(key)s
LIMIT 1;
