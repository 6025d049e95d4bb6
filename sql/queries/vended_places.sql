-- name: store_vended_place
INSERT INTO vended_places (warehouse_id, location_key, principal, levels, name, expires_at)
VALUES (
    %(warehouse_id)s, %(key)s, %(principal)s, %(levels)s::text[], %(name)s, to_timestamp(%(expires_at)s)
);

-- The place itself is no obstacle to who comes back to it: the same name, or files that were there before.
-- name: find_vended_place (prepared)
SELECT p.location_key, p.expires_at
FROM vended_places p
WHERE p.warehouse_id = %(warehouse_id)s AND p.location_key = ANY(%(keys)s::text[])
    AND p.expires_at > now() AND p.principal <> %(principal)s
    AND NOT (
        p.location_key = %(key)s AND (%(adopted)s OR p.levels = %(levels)s::text[] AND p.name = %(name)s)
    )
UNION ALL
SELECT p.location_key, p.expires_at
FROM vended_places p
WHERE p.warehouse_id = %(warehouse_id)s
    AND p.location_key > %(key)s || '/' AND p.location_key < %(key)s || '0'
    AND p.expires_at > now() AND p.principal <> %(principal)s
LIMIT 1;

-- name: delete_old_vended_places
DELETE FROM vended_places WHERE expires_at < now();
