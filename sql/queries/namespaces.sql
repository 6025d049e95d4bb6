-- name: load_namespace (prepared)
SELECT id, location, properties FROM namespaces
WHERE warehouse_id = %(warehouse_id)s AND levels = %(levels)s::text[];

-- name: namespace_exists (prepared)
SELECT id FROM namespaces WHERE warehouse_id = %(warehouse_id)s AND levels = %(levels)s::text[];

-- name: lock_namespace
SELECT id, location, properties, protected, pg_current_xact_id()::text::bigint AS xid
FROM namespaces
WHERE warehouse_id = %(warehouse_id)s AND levels = %(levels)s::text[]
FOR NO KEY UPDATE;

-- No row when the warehouse was deleted or given another root meanwhile.
-- name: create_namespace (prepared)
INSERT INTO namespaces (warehouse_id, parent_id, levels, location, properties, owner_id)
SELECT w.id, NULL, %(levels)s::text[], %(location)s, %(properties)s, %(owner_id)s
FROM warehouses w
WHERE w.id = %(warehouse_id)s AND w.root_location = %(root_location)s
FOR KEY SHARE
RETURNING id, pg_current_xact_id()::text::bigint AS xid;

-- Creates those of the namespaces that are not there, none of which has a parent, with a change row for each. No row when
-- the warehouse has another root by now, or when somebody's rights have changed: security_version is null where nobody
-- needs any.
-- name: create_namespaces (prepared)
WITH asked AS (
    SELECT *
    FROM unnest(
        %(names)s::text[], %(locations)s::text[], %(properties)s::text[], %(details)s::text[],
        %(principals)s::text[], %(principal_ids)s::bigint[], %(principal_kinds)s::text[], %(credentials)s::text[],
        %(addresses)s::text[], %(user_agents)s::text[], %(request_ids)s::text[]
    ) AS a (
        name, location, properties, details,
        principal, principal_id, principal_kind, credential,
        address, user_agent, request_id
    )
),
created AS (
    INSERT INTO namespaces (warehouse_id, parent_id, levels, location, properties, owner_id)
    SELECT w.id, NULL, ARRAY[a.name], a.location, a.properties::json, a.principal_id
    FROM warehouses w, asked a
    WHERE w.id = %(warehouse_id)s AND w.root_location = %(root_location)s
        AND (
            %(security_version)s::bigint IS NULL
            OR %(security_version)s::bigint = (SELECT version FROM security_version)
        )
    ORDER BY a.name COLLATE "C"
    FOR KEY SHARE OF w
    ON CONFLICT DO NOTHING
    RETURNING id, levels, levels[1] AS name
),
recorded AS (
    INSERT INTO changes (
        commit_id, warehouse_id, action, object_kind, object_id, namespace, details,
        principal, principal_id, principal_kind, credential, address, user_agent, request_id
    )
    SELECT
        %(commit_id)s, %(warehouse_id)s, 'namespace.created', 'namespace', c.id, c.levels, a.details::json,
        a.principal, a.principal_id, a.principal_kind, a.credential, a.address, a.user_agent, a.request_id
    FROM created c
    JOIN asked a USING (name)
)
SELECT id, name, pg_current_xact_id()::text::bigint AS xid
FROM created;

-- No row when the parent was dropped or renamed meanwhile.
-- name: create_child_namespace (prepared)
INSERT INTO namespaces (warehouse_id, parent_id, levels, location, properties, owner_id)
SELECT %(warehouse_id)s, p.id, %(levels)s::text[], %(location)s, %(properties)s, %(owner_id)s
FROM namespaces p
WHERE p.id = %(parent_id)s AND p.levels = %(parent)s::text[]
FOR KEY SHARE
RETURNING id, pg_current_xact_id()::text::bigint AS xid;

-- name: update_namespace
UPDATE namespaces SET location = %(location)s, properties = %(properties)s, updated_at = now()
WHERE id = %(id)s;

-- name: drop_namespace
DELETE FROM namespaces
WHERE warehouse_id = %(warehouse_id)s AND levels = %(levels)s::text[] AND (NOT protected OR %(force)s)
RETURNING id, pg_current_xact_id()::text::bigint AS xid;

-- name: share_namespaces
SELECT id, levels, pg_current_xact_id()::text::bigint AS xid
FROM namespaces
WHERE warehouse_id = %(warehouse_id)s AND (levels = %(one)s::text[] OR levels = %(other)s::text[])
ORDER BY id
FOR KEY SHARE;

-- name: share_namespace
SELECT id, levels FROM namespaces
WHERE warehouse_id = %(warehouse_id)s AND levels = %(levels)s::text[]
FOR KEY SHARE;

-- name: share_namespace_by_id
SELECT id, levels FROM namespaces WHERE id = %(id)s FOR KEY SHARE;

-- name: load_namespace_protection
SELECT id, protected FROM namespaces
WHERE warehouse_id = %(warehouse_id)s AND levels = %(levels)s::text[];

-- name: protect_namespace
UPDATE namespaces SET protected = %(protected)s, updated_at = now() WHERE id = %(id)s;

-- name: list_namespaces
SELECT levels FROM namespaces
WHERE warehouse_id = %(warehouse_id)s AND parent_id IS NULL AND levels > %(after)s::text[]
ORDER BY levels
LIMIT %(limit)s;

-- name: list_child_namespaces
SELECT levels FROM namespaces
WHERE warehouse_id = %(warehouse_id)s AND parent_id = %(parent_id)s AND levels > %(after)s::text[]
ORDER BY levels
LIMIT %(limit)s;
