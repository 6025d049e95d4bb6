-- A concurrent duplicate waits here for the end of the first one's transaction.
-- name: claim_idempotency_key (prepared)
INSERT INTO idempotency_keys (warehouse_id, principal, key, fingerprint)
VALUES (%(warehouse_id)s, %(principal)s, %(key)s, %(fingerprint)s)
ON CONFLICT ON CONSTRAINT idempotency_keys_pkey DO NOTHING
RETURNING true AS claimed, pg_current_xact_id()::text::bigint AS xid;

-- name: keep_idempotent_result (prepared)
UPDATE idempotency_keys SET result = %(result)s
WHERE warehouse_id = %(warehouse_id)s AND principal = %(principal)s AND key = %(key)s;

-- name: keep_idempotent_error
INSERT INTO idempotency_keys (warehouse_id, principal, key, fingerprint, error)
VALUES (%(warehouse_id)s, %(principal)s, %(key)s, %(fingerprint)s, %(error)s)
ON CONFLICT ON CONSTRAINT idempotency_keys_pkey DO NOTHING
RETURNING true AS claimed;

-- name: load_idempotency_key
SELECT fingerprint, error, result FROM idempotency_keys
WHERE warehouse_id = %(warehouse_id)s AND principal = %(principal)s AND key = %(key)s;

-- name: delete_old_idempotency_keys
DELETE FROM idempotency_keys WHERE created_at < now() - make_interval(secs => %(age)s);

-- name: load_current_document
SELECT document, packed FROM tabulars
WHERE warehouse_id = %(warehouse_id)s AND metadata_location = %(metadata_location)s;

-- name: load_document_of
SELECT metadata_location, document, packed FROM tabulars WHERE id = %(id)s;

-- name: delete_idempotency_keys_of_warehouse
DELETE FROM idempotency_keys WHERE warehouse_id = %(warehouse_id)s;
