-- oldest-program: 0.1.0
-- What clients reported about their scans and commits. Written in batches, without change rows, partitioned by day.
-- The id is made by the process that took the report, so that a batch can be sent again.

CREATE TABLE metric_reports (
    id uuid NOT NULL,
    at timestamptz NOT NULL,
    warehouse_id bigint NOT NULL,
    table_id bigint NOT NULL,
    namespace text[] COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    report_type text COLLATE "C" NOT NULL,
    snapshot_id bigint,
    principal text NOT NULL,
    request_id text NOT NULL,
    report json NOT NULL,
    CONSTRAINT metric_reports_pkey PRIMARY KEY (at, id)
) PARTITION BY RANGE (at);
CREATE INDEX metric_reports_table ON metric_reports (table_id, at, id);
CREATE TABLE metric_reports_default PARTITION OF metric_reports DEFAULT;

CREATE FUNCTION create_day_partition(parent text, day date) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    partition_name text := parent || '_' || to_char(day, 'YYYYMMDD');
    in_the_way boolean;
BEGIN
    EXECUTE format('SELECT EXISTS (SELECT FROM %I WHERE at >= $1 AND at < $1 + 1)', parent || '_default')
        INTO in_the_way USING day;
    IF in_the_way OR to_regclass(partition_name) IS NOT NULL THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)',
        partition_name, parent, day::timestamptz, (day + 1)::timestamptz);
    RETURN true;
END
$$;

CREATE FUNCTION drop_day_partitions(parent text, before date) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    partition_name text;
    dropped bigint := 0;
BEGIN
    FOR partition_name IN
        SELECT relid::regclass::text FROM pg_partition_tree(parent::regclass)
        WHERE isleaf AND relid::regclass::text ~ ('^' || parent || '_[0-9]{8}$')
            AND right(relid::regclass::text, 8) < to_char(before, 'YYYYMMDD')
    LOOP
        EXECUTE format('DROP TABLE %I', partition_name);
        dropped := dropped + 1;
    END LOOP;
    EXECUTE format('DELETE FROM %I WHERE at < $1', parent || '_default') USING before;
    RETURN dropped;
END
$$;
SELECT create_day_partition('metric_reports', (current_date + day)::date) FROM generate_series(0, 7) AS day;
