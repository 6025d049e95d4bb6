-- name: record_change (prepared)
INSERT INTO changes (
    commit_id, warehouse_id, action, object_kind, object_id, namespace, name,
    before_pointer, after_pointer, details, principal, principal_id, principal_kind, credential,
    address, user_agent, request_id, job_id
)
VALUES (
    %(commit_id)s, %(warehouse_id)s, %(action)s, %(object_kind)s, %(object_id)s, %(namespace)s::text[], %(name)s,
    %(before_pointer)s, %(after_pointer)s, %(details)s, %(principal)s, %(principal_id)s, %(principal_kind)s,
    %(credential)s, %(address)s, %(user_agent)s, %(request_id)s, %(job_id)s
)
RETURNING xid::text::bigint AS xid;

-- name: resolve_transaction
SELECT
    EXISTS (
        SELECT FROM changes WHERE xid = %(xid)s::text::xid8 AND commit_id = %(commit_id)s
    ) AS applied,
    pg_xact_status(%(xid)s::text::xid8) AS status;

-- name: create_changes_partitions
SELECT create_changes_partition((current_date + day)::date) AS created
FROM generate_series(0, 7) AS day;

-- name: drop_changes_partitions
SELECT drop_changes_partitions((now() - make_interval(secs => %(retention)s))::date) AS dropped;
