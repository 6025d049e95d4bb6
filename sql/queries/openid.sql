-- The live row, else one that was deleted: whoever was sent away does not come back by showing another token.
-- name: load_openid_principal
SELECT
    id, name, disabled, deleted_at IS NOT NULL AS deleted,
    tokens_valid_after IS NULL OR tokens_valid_after <= to_timestamp(%(issued_at)s) AS issued_in_time,
    EXISTS (SELECT FROM revoked_tokens WHERE token_id = %(token_id)s) AS revoked
FROM principals
WHERE kind = 'openid' AND issuer = %(issuer)s AND subject = %(subject)s
ORDER BY deleted_at DESC NULLS FIRST
LIMIT 1;

-- Nothing when another node was faster, or when somebody else has the name.
-- name: create_openid_principal
INSERT INTO principals (name, kind, issuer, subject, created_by)
VALUES (%(name)s, 'openid', %(issuer)s, %(subject)s, %(created_by)s)
ON CONFLICT DO NOTHING
RETURNING id, name, kind, disabled, created_by, created_at, updated_at, deleted_at;
