-- The durable queue. Times are the database's: the clocks of nodes may differ.

-- name: enqueue_job
INSERT INTO jobs (kind, payload, run_at)
VALUES (%(kind)s, %(payload)s::jsonb, coalesce(%(run_at)s::timestamptz, now()))
RETURNING id;

-- At most one unfinished row of a periodic kind exists, whoever inserts it.
-- name: schedule_job
INSERT INTO jobs (kind, payload, period, run_at)
VALUES (%(kind)s, '{}', make_interval(secs => %(period)s), now())
ON CONFLICT (kind) WHERE period IS NOT NULL AND status IN ('queued', 'running', 'retrying') DO NOTHING;

-- name: claim_job
UPDATE jobs
SET status = 'running', owner = %(owner)s, attempts = attempts + 1, heartbeat_at = now(),
    started_at = coalesce(started_at, now())
WHERE id = (
    SELECT id FROM jobs
    WHERE status IN ('queued', 'retrying') AND run_at <= now() AND kind = ANY(%(kinds)s::text[])
    ORDER BY run_at
    LIMIT 1
    FOR UPDATE SKIP LOCKED
)
RETURNING id, kind, payload, attempts, progress;

-- name: beat_jobs
UPDATE jobs SET heartbeat_at = now()
WHERE id = ANY(%(ids)s::bigint[]) AND owner = %(owner)s AND status = 'running'
RETURNING id;

-- An owner whose heartbeat stopped is dead or cut off; its attempt counts.
-- name: release_dead_jobs
UPDATE jobs
SET status = CASE WHEN attempts < %(max_attempts)s THEN 'retrying' ELSE 'failed' END,
    finished_at = CASE WHEN attempts < %(max_attempts)s THEN NULL ELSE now() END,
    message = 'Attempt ' || attempts || ' ended without a word from its worker (' || owner || ')',
    owner = NULL, heartbeat_at = NULL, run_at = now()
WHERE id IN (
    SELECT id FROM jobs
    WHERE status = 'running' AND heartbeat_at < now() - make_interval(secs => %(lease_timeout)s)
    FOR UPDATE SKIP LOCKED
)
RETURNING id, kind, status;

-- name: save_job_progress
UPDATE jobs SET progress = %(progress)s::jsonb, heartbeat_at = now()
WHERE id = %(id)s AND owner = %(owner)s AND attempts = %(attempts)s AND status = 'running';

-- The end of a periodic job (%(period)s seconds) and its next row are one step, or another worker would run it now.
-- name: finish_job
WITH finished AS (
    UPDATE jobs
    SET status = %(status)s, message = %(message)s, owner = NULL, heartbeat_at = NULL, finished_at = now()
    WHERE id = %(id)s AND owner = %(owner)s AND attempts = %(attempts)s AND status = 'running'
    RETURNING kind
), following AS (
    INSERT INTO jobs (kind, payload, period, run_at)
    SELECT kind, '{}', period, now() + period
    FROM finished, make_interval(secs => %(period)s) AS period
    WHERE period IS NOT NULL
)
SELECT count(*) AS rows FROM finished;

-- name: retry_job
UPDATE jobs
SET status = 'retrying', message = %(message)s, owner = NULL, heartbeat_at = NULL,
    run_at = now() + make_interval(secs => %(delay)s)
WHERE id = %(id)s AND owner = %(owner)s AND attempts = %(attempts)s AND status = 'running';

-- name: hand_back_job
UPDATE jobs
SET status = 'queued', attempts = attempts - 1, owner = NULL, heartbeat_at = NULL, run_at = now()
WHERE id = %(id)s AND owner = %(owner)s AND attempts = %(attempts)s AND status = 'running';

-- name: delete_finished_jobs
DELETE FROM jobs
WHERE status IN ('completed', 'failed', 'cancelled') AND finished_at < now() - make_interval(secs => %(age)s);

-- name: list_jobs
SELECT id, kind, status, attempts, progress::text AS progress, message, created_at, started_at, finished_at FROM jobs
WHERE id < %(before)s
ORDER BY id DESC
LIMIT %(limit)s;

-- name: load_job
SELECT id, kind, status, attempts, progress::text AS progress, message, created_at, started_at, finished_at FROM jobs
WHERE id = %(id)s;

-- name: lock_job
SELECT id, kind, status, payload::text AS payload, period IS NOT NULL AS is_periodic FROM jobs WHERE id = %(id)s FOR UPDATE;

-- name: cancel_job
UPDATE jobs
SET status = 'cancelled', message = %(message)s, owner = NULL, heartbeat_at = NULL, finished_at = now()
WHERE id = %(id)s;

-- name: find_principal_of_job
SELECT (payload ->> 'principal_id')::bigint AS principal_id FROM jobs WHERE id = %(id)s;
