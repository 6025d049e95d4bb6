-- oldest-program: 0.1.0
-- Who made a change, from where, and in which job. What is in no warehouse, such as a principal, has no warehouse_id.

ALTER TABLE changes
    ADD COLUMN principal_id bigint,
    ADD COLUMN principal_kind text,
    ADD COLUMN credential text,
    ADD COLUMN address text,
    ADD COLUMN user_agent text,
    ADD COLUMN job_id bigint,
    ALTER COLUMN warehouse_id DROP NOT NULL;
CREATE INDEX changes_principal ON changes (principal, at, id);
CREATE INDEX changes_action ON changes (action, at, id);
CREATE INDEX changes_object ON changes (warehouse_id, namespace, name, at, id);
CREATE INDEX changes_request ON changes (request_id);

-- What is worth knowing and changed nothing: requests that were refused, credentials that were handed out. Partitioned
-- by day. The id is made by the process that says it, so that a batch can be sent again.
CREATE TABLE audit_events (
    id uuid NOT NULL,
    at timestamptz NOT NULL,
    action text NOT NULL,
    outcome text NOT NULL,
    status smallint NOT NULL,
    operation text,
    privilege text,
    warehouse_id bigint,
    object_kind text,
    object_id bigint,
    namespace text[] COLLATE "C" NOT NULL DEFAULT '{}',
    name text COLLATE "C",
    details json NOT NULL DEFAULT '{}',
    principal text NOT NULL,
    principal_id bigint,
    principal_kind text NOT NULL,
    credential text,
    address text,
    user_agent text,
    request_id text NOT NULL,
    CONSTRAINT audit_events_pkey PRIMARY KEY (at, id)
) PARTITION BY RANGE (at);
CREATE INDEX audit_events_principal ON audit_events (principal, at, id);
CREATE INDEX audit_events_action ON audit_events (action, at, id);
CREATE INDEX audit_events_object ON audit_events (warehouse_id, namespace, name, at, id);
CREATE INDEX audit_events_request ON audit_events (request_id);
CREATE TABLE audit_events_default PARTITION OF audit_events DEFAULT;
SELECT create_day_partition('audit_events', (current_date + day)::date) FROM generate_series(0, 7) AS day;
