-- What tables and views share: they live in one space of names.

-- The state under one name, for creations and commits: always one row, with nulls where nothing is.
-- name: read_tabular (prepared)
SELECT
    n.id AS namespace_id, n.location AS namespace_location,
    t.id, t.kind, t.location, t.metadata_location, t.document, t.packed, s.packs
FROM document_storage s
LEFT JOIN LATERAL (
    SELECT id, location FROM namespaces WHERE warehouse_id = %(warehouse_id)s AND levels = %(levels)s::text[]
    LIMIT 1
) n ON true
LEFT JOIN LATERAL (
    SELECT id, kind, location, metadata_location, document, packed FROM tabulars
    WHERE namespace_id = n.id AND name = %(name)s
    LIMIT 1
) t ON true
WHERE s.id;

-- The same under each of several names, in their order.
-- LIMIT keeps the planner at one index lookup per name: it takes any JSON array for a hundred names.
-- name: read_tabulars (prepared)
SELECT
    n.id AS namespace_id, n.location AS namespace_location,
    t.id, t.kind, t.location, t.metadata_location, t.document, t.packed,
    (SELECT packs FROM document_storage) AS packs
FROM jsonb_array_elements(%(names)s::jsonb) WITH ORDINALITY AS wanted (identifier, position)
LEFT JOIN LATERAL (
    SELECT id, location FROM namespaces
    WHERE warehouse_id = %(warehouse_id)s
        AND levels = ARRAY(SELECT jsonb_array_elements_text(wanted.identifier -> 'namespace'))
    LIMIT 1
) n ON true
LEFT JOIN LATERAL (
    SELECT id, kind, location, metadata_location, document, packed FROM tabulars
    WHERE namespace_id = n.id AND name = wanted.identifier ->> 'name'
    LIMIT 1
) t ON true
ORDER BY wanted.position;

-- name: lock_tabulars (prepared)
SELECT id, namespace_id, name, metadata_location, pg_current_xact_id()::text::bigint AS xid
FROM tabulars
WHERE id = ANY(%(ids)s::bigint[])
ORDER BY id
FOR UPDATE;

-- Ancestors are locked in share mode, outermost first, and the location itself in exclusive mode, so that two
-- transactions that claim nested locations meet.
-- name: lock_location (prepared)
SELECT CASE
    WHEN claimed.depth = cardinality(%(keys)s::text[])
        THEN pg_advisory_xact_lock(hashtextextended(claimed.key, %(warehouse_id)s))
    ELSE pg_advisory_xact_lock_shared(hashtextextended(claimed.key, %(warehouse_id)s))
END
FROM unnest(%(keys)s::text[]) WITH ORDINALITY AS claimed (key, depth)
ORDER BY claimed.depth;

-- What keeps an object from taking a place: another one there, around or inside, or else, for the principal that is
-- named, keys of others that reach it; those have expires_at.
-- The last of the keys is the location itself, the others are its ancestors; '0' is the character behind '/'.
-- A held object does not count when it is the very one that comes back: same place, and same uuid or metadata file.
-- Nor do keys for the place itself, to who comes back to it: the same name, or files that were there before.
-- name: find_obstacle (prepared)
SELECT t.location, false AS held, NULL::timestamptz AS expires_at FROM tabulars t
WHERE t.warehouse_id = %(warehouse_id)s AND t.id <> %(id)s AND t.location_key = ANY(%(keys)s::text[])
UNION ALL
SELECT t.location, false AS held, NULL AS expires_at FROM tabulars t
WHERE t.warehouse_id = %(warehouse_id)s AND t.id <> %(id)s
    AND t.location_key > %(key)s || '/' AND t.location_key < %(key)s || '0'
UNION ALL
SELECT h.location, true AS held, NULL AS expires_at FROM held_tabulars h
WHERE h.warehouse_id = %(warehouse_id)s AND h.location_key = ANY(%(keys)s::text[])
    AND (
        h.location_key = %(key)s AND (h.uuid = %(uuid)s::uuid OR h.metadata_location = %(metadata_location)s::text)
    ) IS NOT TRUE
UNION ALL
SELECT h.location, true AS held, NULL AS expires_at FROM held_tabulars h
WHERE h.warehouse_id = %(warehouse_id)s
    AND h.location_key > %(key)s || '/' AND h.location_key < %(key)s || '0'
UNION ALL
SELECT p.location_key, false AS held, p.expires_at FROM vended_places p
WHERE p.warehouse_id = %(warehouse_id)s AND p.location_key = ANY(%(keys)s::text[])
    AND p.expires_at > now() AND p.principal <> %(principal)s
    AND NOT (
        p.location_key = %(key)s
        AND (%(metadata_location)s::text IS NOT NULL OR p.levels = %(levels)s::text[] AND p.name = %(name)s)
    )
UNION ALL
SELECT p.location_key, false AS held, p.expires_at FROM vended_places p
WHERE p.warehouse_id = %(warehouse_id)s
    AND p.location_key > %(key)s || '/' AND p.location_key < %(key)s || '0'
    AND p.expires_at > now() AND p.principal <> %(principal)s
LIMIT 1;

-- No row when the namespace was dropped or renamed meanwhile.
-- name: create_tabular (prepared)
INSERT INTO tabulars (
    warehouse_id, namespace_id, name, kind, uuid, location, location_key, metadata_location, document, packed,
    owner_id
)
SELECT
    %(warehouse_id)s, n.id, %(name)s, %(kind)s, %(uuid)s::uuid, %(location)s, %(location_key)s,
    %(metadata_location)s, %(document)s, %(packed)s, %(owner_id)s
FROM namespaces n
WHERE n.id = %(namespace_id)s AND n.levels = %(levels)s::text[]
FOR KEY SHARE
RETURNING id, pg_current_xact_id()::text::bigint AS xid;

-- name: commit_tabular (prepared)
UPDATE tabulars
SET uuid = %(uuid)s, location = %(location)s, location_key = %(location_key)s,
    metadata_location = %(metadata_location)s, document = %(document)s, packed = %(packed)s,
    updated_at = now()
WHERE id = %(id)s;

-- The same for a row that is not locked yet, in one statement: nothing, when it is not what was read. No index knows IS
-- NOT DISTINCT FROM: it is found by its id even as long as the table is empty for all that the planner knows.
-- name: commit_unmoved_tabular (prepared)
UPDATE tabulars t
SET uuid = %(uuid)s, location = %(location)s, location_key = %(location_key)s,
    metadata_location = %(metadata_location)s, document = %(document)s, packed = %(packed)s,
    updated_at = now()
FROM (
    SELECT id FROM tabulars
    WHERE id = %(id)s AND namespace_id IS NOT DISTINCT FROM %(namespace_id)s
        AND name IS NOT DISTINCT FROM %(name)s AND metadata_location IS NOT DISTINCT FROM %(expected)s
    FOR UPDATE
) unmoved
WHERE t.id = unmoved.id
RETURNING pg_current_xact_id()::text::bigint AS xid;

-- The namespace is locked before what is in it, as by everybody else, against being renamed or dropped meanwhile.
-- hold is for how many seconds the warehouse keeps what is dropped, null for not at all.
-- name: lock_tabular
WITH place AS MATERIALIZED (
    SELECT id FROM namespaces
    WHERE warehouse_id = %(warehouse_id)s AND levels = %(levels)s::text[]
    FOR KEY SHARE
)
SELECT
    t.id, t.kind, t.name, t.metadata_location, t.protected,
    (SELECT soft_delete_seconds FROM warehouses WHERE id = %(warehouse_id)s) AS hold,
    pg_current_xact_id()::text::bigint AS xid
FROM place
JOIN tabulars t ON t.namespace_id = place.id
WHERE t.name = %(name)s AND t.kind = %(kind)s
FOR UPDATE OF t;

-- name: rename_tabular
UPDATE tabulars SET namespace_id = %(namespace_id)s, name = %(name)s, updated_at = now() WHERE id = %(id)s;

-- name: find_tabular_kind
SELECT t.kind FROM tabulars t WHERE t.namespace_id = %(namespace_id)s AND t.name = %(name)s;

-- name: count_entities
SELECT
    array_to_string(n.levels, '.') AS namespace,
    (SELECT count(*) FROM tabulars t WHERE t.namespace_id = n.id AND t.kind = 'table') AS tables,
    (SELECT count(*) FROM tabulars t WHERE t.namespace_id = n.id AND t.kind = 'view') AS views
FROM namespaces n;

-- name: list_named_metadata_files
SELECT metadata_location FROM tabulars
WHERE warehouse_id = %(warehouse_id)s AND metadata_location = ANY(%(files)s::text[])
UNION ALL
SELECT metadata_location FROM held_tabulars
WHERE warehouse_id = %(warehouse_id)s AND metadata_location = ANY(%(files)s::text[]);

-- name: load_tabular_protection
SELECT t.id, t.protected
FROM namespaces n
JOIN tabulars t ON t.namespace_id = n.id
WHERE n.warehouse_id = %(warehouse_id)s AND n.levels = %(levels)s::text[]
    AND t.name = %(name)s AND t.kind = %(kind)s;

-- name: protect_tabular
UPDATE tabulars SET protected = %(protected)s, updated_at = now() WHERE id = %(id)s;
