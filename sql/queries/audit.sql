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

-- The change log and the events as one list, newest first, behind an entry that was shown: (after_us, change_id) of the
-- one, (after_us, event_id) of the other. Times are microseconds since the epoch. Each half is cut before they are merged.
-- A warehouse's name stands for the one that has it and for those that had it when they were deleted.
-- name: list_audit
WITH meant AS (
    SELECT id FROM warehouses WHERE name = %(warehouse)s
    UNION
    SELECT object_id FROM changes WHERE action = 'warehouse.deleted' AND name = %(warehouse)s
)
SELECT
    a.source, a.id, (extract(epoch FROM a.at) * 1000000)::bigint AS at_us, a.action, a.outcome, a.status, a.operation,
    a.privilege, a.warehouse_id, w.name AS warehouse, a.object_kind, a.object_id, a.namespace, a.name,
    a.before_pointer, a.after_pointer, a.details, a.principal, a.principal_id, a.principal_kind, a.credential,
    a.address, a.user_agent, a.request_id, a.job_id
FROM (
    (
        SELECT
            'change' AS source, id::text AS id, at, action, 'success' AS outcome, NULL::smallint AS status,
            NULL AS operation, NULL AS privilege, warehouse_id, object_kind, object_id, namespace, name, before_pointer,
            after_pointer, details::text AS details, principal, principal_id, principal_kind, credential, address,
            user_agent, request_id, job_id, id AS change_id, NULL::uuid AS event_id
        FROM changes AS c
        WHERE at >= to_timestamp(%(from_us)s / 1000000.0) AND at <= to_timestamp(%(to_us)s / 1000000.0)
            AND (at, id) < (to_timestamp(%(after_us)s / 1000000.0), %(change_id)s)
            AND (%(actor)s::text IS NULL OR principal = %(actor)s)
            AND (%(event_type)s::text IS NULL OR action = %(event_type)s)
            AND (%(outcome)s::text IS NULL OR %(outcome)s = 'success')
            AND (%(warehouse)s::text IS NULL OR warehouse_id = ANY (ARRAY(SELECT id FROM meant)))
            AND (%(levels)s::text[] IS NULL OR (namespace >= %(levels)s AND namespace < %(beyond)s::text[]))
            AND (%(name)s::text IS NULL OR name = %(name)s)
            AND (%(address)s::text IS NULL OR address = %(address)s)
            AND (%(request_id)s::text IS NULL OR request_id = %(request_id)s)
        ORDER BY c.at DESC, c.id DESC
        LIMIT %(limit)s
    )
    UNION ALL
    (
        SELECT
            'event', id::text, at, action, outcome, status, operation, privilege, warehouse_id, object_kind, object_id,
            namespace, name, NULL, NULL, details::text, principal, principal_id, principal_kind, credential, address,
            user_agent, request_id, NULL::bigint, NULL::bigint, id
        FROM audit_events AS e
        WHERE at >= to_timestamp(%(from_us)s / 1000000.0) AND at <= to_timestamp(%(to_us)s / 1000000.0)
            AND (at, id) < (to_timestamp(%(after_us)s / 1000000.0), %(event_id)s::uuid)
            AND (%(actor)s::text IS NULL OR principal = %(actor)s)
            AND (%(event_type)s::text IS NULL OR action = %(event_type)s)
            AND (%(outcome)s::text IS NULL OR outcome = %(outcome)s)
            AND (%(warehouse)s::text IS NULL OR warehouse_id = ANY (ARRAY(SELECT id FROM meant)))
            AND (%(levels)s::text[] IS NULL OR (namespace >= %(levels)s AND namespace < %(beyond)s::text[]))
            AND (%(name)s::text IS NULL OR name = %(name)s)
            AND (%(address)s::text IS NULL OR address = %(address)s)
            AND (%(request_id)s::text IS NULL OR request_id = %(request_id)s)
        ORDER BY e.at DESC, e.id DESC
        LIMIT %(limit)s
    )
) AS a
LEFT JOIN warehouses AS w ON w.id = a.warehouse_id
ORDER BY a.at DESC, a.source DESC, a.change_id DESC, a.event_id DESC
LIMIT %(limit)s;

-- name: create_audit_partitions
SELECT create_day_partition('audit_events', (current_date + day)::date) AS created
FROM generate_series(0, 7) AS day;

-- name: drop_audit_partitions
SELECT drop_day_partitions('audit_events', (now() - make_interval(secs => %(retention)s))::date) AS dropped;
