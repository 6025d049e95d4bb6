-- The number is arbitrary; every node takes the same one.
-- name: lock_migrations
SELECT pg_advisory_lock(8247051912);

-- name: unlock_migrations
SELECT pg_advisory_unlock(8247051912);

-- name: disable_statement_timeout
SET statement_timeout = 0;

-- name: create_schema_migrations
CREATE TABLE IF NOT EXISTS schema_migrations (
    number integer NOT NULL,
    name text NOT NULL,
    oldest_program text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT schema_migrations_pkey PRIMARY KEY (number)
);

-- name: has_schema_migrations
SELECT to_regclass('schema_migrations') IS NOT NULL AS present;

-- name: list_schema_migrations
SELECT number, oldest_program FROM schema_migrations ORDER BY number;

-- name: record_schema_migration
INSERT INTO schema_migrations (number, name, oldest_program) VALUES (%(number)s, %(name)s, %(oldest_program)s);

-- name: finish_migrations
UPDATE document_storage SET packs = true WHERE NOT packs;

-- name: ping
SELECT 1 AS alive;

-- Prepared queries keep their plan while tables grow: it must not be one for tables that are still empty.
-- name: configure_session
SELECT
    set_config('statement_timeout', %(statement_timeout)s, false),
    set_config('lock_timeout', %(lock_timeout)s, false),
    set_config('idle_in_transaction_session_timeout', '60000', false),
    set_config('plan_cache_mode', 'force_generic_plan', false),
    set_config('enable_seqscan', 'off', false),
    set_config('jit', 'off', false),
    set_config('timezone', 'UTC', false);

-- For the rest of the transaction.
-- name: limit_lock_wait
SELECT set_config('lock_timeout', %(milliseconds)s, true);

-- name: backend_pid
SELECT pg_backend_pid() AS pid;

-- name: set_probe
SELECT set_config('bingsan.probe', %(value)s, false);

-- name: read_probe
SELECT current_setting('bingsan.probe', true) AS value;
