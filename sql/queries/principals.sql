-- name: create_principal
INSERT INTO principals (name, kind, created_by)
VALUES (%(name)s, %(kind)s, %(created_by)s)
RETURNING id, name, kind, disabled, created_by, created_at, updated_at, deleted_at;

-- name: load_principal
SELECT id, name, kind, disabled, created_by, created_at, updated_at, deleted_at
FROM principals
WHERE name = %(name)s AND deleted_at IS NULL;

-- name: lock_principal
SELECT id, name, kind, disabled, created_by, created_at, updated_at, deleted_at
FROM principals
WHERE name = %(name)s AND deleted_at IS NULL
FOR UPDATE;

-- name: list_principals
SELECT id, name, kind, disabled, created_by, created_at, updated_at, deleted_at
FROM principals
WHERE id > %(after)s AND (deleted_at IS NULL OR %(deleted)s)
ORDER BY id
LIMIT %(limit)s;

-- name: disable_principal
UPDATE principals SET disabled = %(disabled)s, updated_at = now() WHERE id = %(id)s
RETURNING id, name, kind, disabled, created_by, created_at, updated_at, deleted_at;

-- What it may do goes with it; what it owns has no owner that could come in.
-- name: delete_principal
UPDATE principals SET deleted_at = now(), updated_at = now() WHERE id = %(id)s
RETURNING id, name, kind, disabled, created_by, created_at, updated_at, deleted_at;

-- name: end_tokens_of_principal
UPDATE principals SET tokens_valid_after = clock_timestamp(), updated_at = now() WHERE id = %(id)s
RETURNING id, name;

-- name: create_client_secret
INSERT INTO client_secrets (principal_id, secret_hash) VALUES (%(principal_id)s, %(secret_hash)s)
RETURNING id;

-- The newest ends when it is asked to; those before it have had their time.
-- name: end_client_secrets
UPDATE client_secrets
SET expires_at = least(expires_at, now() + make_interval(secs => %(grace)s)),
    revoked_at = CASE
        WHEN %(grace)s > 0 AND id = (SELECT max(id) FROM client_secrets WHERE principal_id = %(principal_id)s)
            THEN NULL
        ELSE now()
    END
WHERE principal_id = %(principal_id)s AND revoked_at IS NULL;

-- name: list_client_secrets
SELECT client_secrets.id, client_secrets.secret_hash, client_secrets.expires_at, principals.id AS principal_id,
    principals.name, principals.kind, principals.disabled
FROM principals
JOIN client_secrets ON client_secrets.principal_id = principals.id
WHERE principals.name = %(name)s
    AND principals.deleted_at IS NULL
    AND client_secrets.revoked_at IS NULL
    AND (client_secrets.expires_at IS NULL OR client_secrets.expires_at > now())
ORDER BY client_secrets.id DESC
LIMIT 2;

-- The clock that tokens are issued and ended by.
-- name: load_issuing
SELECT id, name, kind, extract(epoch FROM clock_timestamp())::double precision AS issued_at
FROM principals
WHERE id = %(id)s AND deleted_at IS NULL AND NOT disabled;

-- name: find_administrator
SELECT principals.name
FROM grants
JOIN principals ON principals.id = grants.principal_id
WHERE grants.object_kind = 'server'
    AND grants.object_id = 0
    AND grants.privilege = 'administer'
    AND principals.deleted_at IS NULL
ORDER BY principals.id
LIMIT 1;

-- name: grant_administer
INSERT INTO grants (principal_id, privilege, object_kind, object_id, granted_by)
VALUES (%(principal_id)s, 'administer', 'server', 0, %(granted_by)s)
ON CONFLICT ON CONSTRAINT grants_principal_key DO NOTHING
RETURNING id;

-- Two nodes that start at the same time make one administrator. The number is arbitrary; all take the same one.
-- name: lock_administrators
SELECT pg_advisory_xact_lock(8247051914);

-- name: delete_grants_of_principal
DELETE FROM grants WHERE principal_id = %(principal_id)s;

-- name: delete_memberships_of_principal
DELETE FROM role_members WHERE member_principal_id = %(principal_id)s;
