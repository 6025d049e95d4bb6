-- name: create_key
INSERT INTO api_keys (principal_id, name, key_hash, scopes, created_by, expires_at)
VALUES (
    %(principal_id)s, %(name)s, %(key_hash)s, %(scopes)s, %(created_by)s,
    now() + make_interval(secs => %(lifetime)s)
)
RETURNING id;

-- name: load_key
SELECT
    api_keys.id, api_keys.name, api_keys.scopes, api_keys.created_by, api_keys.created_at, api_keys.rotated_at,
    api_keys.previous_valid_until, api_keys.expires_at, api_keys.last_used_at, api_keys.revoked_at,
    api_keys.principal_id, principals.name AS principal
FROM api_keys
JOIN principals ON principals.id = api_keys.principal_id
WHERE api_keys.id = %(id)s;

-- name: lock_key
SELECT id, principal_id, name, revoked_at, expires_at, scopes FROM api_keys WHERE id = %(id)s FOR UPDATE;

-- name: list_keys
SELECT
    api_keys.id, api_keys.name, api_keys.scopes, api_keys.created_by, api_keys.created_at, api_keys.rotated_at,
    api_keys.previous_valid_until, api_keys.expires_at, api_keys.last_used_at, api_keys.revoked_at,
    api_keys.principal_id, principals.name AS principal
FROM api_keys
JOIN principals ON principals.id = api_keys.principal_id
WHERE api_keys.id > %(after)s
    AND (%(principal_id)s::bigint IS NULL OR api_keys.principal_id = %(principal_id)s)
    AND (api_keys.revoked_at IS NULL OR %(revoked)s)
ORDER BY api_keys.id
LIMIT %(limit)s;

-- name: rotate_key
UPDATE api_keys
SET previous_key_hash = key_hash, key_hash = %(key_hash)s, rotated_at = now(),
    previous_valid_until = now() + make_interval(secs => %(grace)s)
WHERE id = %(id)s
RETURNING id;

-- name: revoke_key
UPDATE api_keys SET revoked_at = now() WHERE id = %(id)s
RETURNING id;

-- name: revoke_keys_of_principal
UPDATE api_keys SET revoked_at = now() WHERE principal_id = %(principal_id)s AND revoked_at IS NULL;
