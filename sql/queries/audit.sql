-- name: store_audit_events
INSERT INTO audit_events (
    id, at, action, outcome, status, operation, privilege, warehouse_id, object_kind, object_id, namespace, name, details,
    principal, principal_id, principal_kind, credential, address, user_agent, request_id
)
SELECT
    r.id, to_timestamp(r.at_us / 1000000.0), r.action, r.outcome, r.status, r.operation, r.privilege, r.warehouse_id,
    r.object_kind, r.object_id, r.namespace, r.name, r.details, r.principal, r.principal_id, r.principal_kind,
    r.credential, r.address, r.user_agent, r.request_id
FROM json_to_recordset(%(rows)s::json) AS r (
    id uuid, at_us bigint, action text, outcome text, status smallint, operation text, privilege text,
    warehouse_id bigint, object_kind text, object_id bigint, namespace text[], name text, details json, principal text,
    principal_id bigint, principal_kind text, credential text, address text, user_agent text, request_id text
)
ON CONFLICT (at, id) DO NOTHING;

-- name: create_audit_partitions
SELECT create_day_partition('audit_events', (current_date + day)::date) AS created
FROM generate_series(0, 7) AS day;

-- name: drop_audit_partitions
SELECT drop_day_partitions('audit_events', (now() - make_interval(secs => %(retention)s))::date) AS dropped;
