-- name: revoke_token
INSERT INTO revoked_tokens (token_id, revoked_by, expires_at)
VALUES (%(token_id)s, %(revoked_by)s, to_timestamp(%(expires_at)s))
ON CONFLICT ON CONSTRAINT revoked_tokens_pkey DO NOTHING
RETURNING true AS revoked;

-- name: forget_revoked_tokens
DELETE FROM revoked_tokens WHERE expires_at < now() - make_interval(secs => %(grace)s);
