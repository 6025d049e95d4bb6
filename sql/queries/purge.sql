-- What must not be deleted: places and metadata files of live and held tables and views of all warehouses.

-- The locations of objects that are or contain one of the places with the given keys.
-- name: find_live_containers
SELECT t.location_key
FROM warehouses w
JOIN tabulars t ON t.warehouse_id = w.id AND t.location_key = ANY(%(keys)s::text[])
UNION ALL
SELECT h.location_key
FROM warehouses w
JOIN held_tabulars h ON h.warehouse_id = w.id AND h.location_key = ANY(%(keys)s::text[]);

-- Those of the given places inside of which an object lies; '0' is the character behind '/'.
-- name: find_live_contents
SELECT place.key
FROM unnest(%(keys)s::text[]) AS place (key)
WHERE EXISTS (
    SELECT FROM warehouses w
    JOIN tabulars t ON t.warehouse_id = w.id
        AND t.location_key > place.key || '/' AND t.location_key < place.key || '0'
) OR EXISTS (
    SELECT FROM warehouses w
    JOIN held_tabulars h ON h.warehouse_id = w.id
        AND h.location_key > place.key || '/' AND h.location_key < place.key || '0'
);

-- name: find_live_metadata_files
SELECT t.metadata_location
FROM warehouses w
JOIN tabulars t ON t.warehouse_id = w.id AND t.metadata_location = ANY(%(locations)s::text[])
UNION ALL
SELECT h.metadata_location
FROM warehouses w
JOIN held_tabulars h ON h.warehouse_id = w.id AND h.metadata_location = ANY(%(locations)s::text[]);

-- Purges of tables at one of the given places or inside the last of them. One that has just ended counts: whoever
-- asks may have read a file before it was deleted.
-- name: find_pending_purge
SELECT id FROM jobs
WHERE kind = 'purge' AND (payload ->> 'location_key') COLLATE "C" = ANY(%(keys)s::text[])
    AND (finished_at IS NULL OR finished_at > now() - interval '1 minute')
UNION ALL
SELECT id FROM jobs
WHERE kind = 'purge' AND (payload ->> 'location_key') COLLATE "C" > %(key)s || '/'
    AND (payload ->> 'location_key') COLLATE "C" < %(key)s || '0'
    AND (finished_at IS NULL OR finished_at > now() - interval '1 minute')
LIMIT 1;
