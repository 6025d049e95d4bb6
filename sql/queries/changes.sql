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

-- Two equal snapshots: no transaction that changes anything has ended between them.
-- name: read_snapshot
SELECT pg_current_snapshot()::text AS snapshot;

-- What is visible now and was not in an older snapshot, in no order, at most as many rows as asked for: what was still
-- running then, and what began later.
-- name: read_changes_since
SELECT
    pg_current_snapshot()::text AS snapshot,
    (SELECT version FROM security_version) AS security_version,
    (
        SELECT coalesce(json_agg(change), '[]')
        FROM (
            SELECT c.action, c.warehouse_id, c.object_id, c.namespace, c.name, c.details
            FROM (
                SELECT * FROM changes WHERE xid >= pg_snapshot_xmax(%(seen)s::pg_snapshot)
                UNION ALL
                SELECT * FROM changes
                WHERE xid = ANY (ARRAY(SELECT pg_snapshot_xip(%(seen)s::pg_snapshot)))
            ) c
            LIMIT %(limit)s
        ) change
    ) AS changes;
