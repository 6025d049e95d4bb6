-- name: store_metric_reports
INSERT INTO metric_reports (
    id, at, warehouse_id, table_id, namespace, name, report_type, snapshot_id, principal, request_id, report
)
SELECT
    r.id, to_timestamp(r.at_us / 1000000.0), r.warehouse_id, r.table_id, r.namespace, r.name, r.report_type,
    r.snapshot_id, r.principal, r.request_id, r.report
FROM json_to_recordset(%(rows)s::json) AS r (
    id uuid, at_us bigint, warehouse_id bigint, table_id bigint, namespace text[], name text, report_type text,
    snapshot_id bigint, principal text, request_id text, report json
)
ON CONFLICT (at, id) DO NOTHING;

-- Newest first, behind a report that was shown; times are microseconds since the epoch.
-- name: list_metric_reports
SELECT
    id::text AS id, (extract(epoch FROM at) * 1000000)::bigint AS at_us, report_type, snapshot_id, principal, request_id,
    report::text AS report
FROM metric_reports
WHERE table_id = %(table_id)s
    AND at >= to_timestamp(%(since_us)s / 1000000.0) AND at <= to_timestamp(%(until_us)s / 1000000.0)
    AND (at, id) < (to_timestamp(%(after_us)s / 1000000.0), %(after_id)s::uuid)
    AND (%(report_type)s::text IS NULL OR report_type = %(report_type)s)
ORDER BY at DESC, id DESC
LIMIT %(limit)s;

-- name: create_metric_report_partitions
SELECT create_day_partition('metric_reports', (current_date + day)::date) AS created
FROM generate_series(0, 7) AS day;

-- name: drop_metric_report_partitions
SELECT drop_day_partitions(
    'metric_reports', (now() - make_interval(secs => %(retention)s))::date
) AS dropped;
