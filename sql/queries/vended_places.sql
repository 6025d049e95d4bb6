-- name: store_vended_place
INSERT INTO vended_places (warehouse_id, location_key, principal, levels, name, expires_at)
VALUES (
    %(warehouse_id)s, %(key)s, %(principal)s, %(levels)s::text[], %(name)s, to_timestamp(%(expires_at)s)
);

-- name: delete_old_vended_places
DELETE FROM vended_places WHERE expires_at < now();
