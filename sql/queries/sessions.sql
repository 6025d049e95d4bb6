-- A token ends with its principal, with the credential that it was made with, by itself, or with all of its principal.
-- name: load_token_session
SELECT principals.name, principals.kind, least(api_keys.expires_at, client_secrets.expires_at) AS expires_at
FROM principals
LEFT JOIN api_keys ON api_keys.id = %(key_id)s
LEFT JOIN client_secrets ON client_secrets.id = %(secret_id)s
WHERE principals.id = %(principal_id)s
    AND principals.deleted_at IS NULL
    AND NOT principals.disabled
    AND (principals.tokens_valid_after IS NULL OR principals.tokens_valid_after <= to_timestamp(%(issued_at)s))
    AND NOT EXISTS (SELECT FROM revoked_tokens WHERE token_id = %(token_id)s)
    AND api_keys.revoked_at IS NULL
    AND client_secrets.revoked_at IS NULL
    AND (api_keys.expires_at IS NULL OR api_keys.expires_at > now())
    AND (client_secrets.expires_at IS NULL OR client_secrets.expires_at > now());

-- The times of a rotated key: the new one ends when it ends, the old one at the end of its grace if that is sooner.
-- name: load_key_session
SELECT
    api_keys.id, api_keys.scopes, principals.id AS principal_id, principals.name AS principal_name,
    principals.kind AS principal_kind,
    CASE WHEN api_keys.key_hash = %(key_hash)s THEN api_keys.expires_at
        ELSE least(api_keys.expires_at, api_keys.previous_valid_until) END AS expires_at
FROM api_keys
JOIN principals ON principals.id = api_keys.principal_id
WHERE (
        api_keys.key_hash = %(key_hash)s
        OR (api_keys.previous_key_hash = %(key_hash)s AND api_keys.previous_valid_until > now())
    )
    AND api_keys.revoked_at IS NULL
    AND (api_keys.expires_at IS NULL OR api_keys.expires_at > now())
    AND principals.deleted_at IS NULL
    AND NOT principals.disabled;

-- No change of security: security_version stays.
-- name: note_used_keys
UPDATE api_keys
SET last_used_at = greatest(api_keys.last_used_at, to_timestamp(used.at))
FROM unnest(%(ids)s::bigint[], %(times)s::double precision[]) AS used (id, at)
WHERE api_keys.id = used.id;
