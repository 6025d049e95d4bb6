-- name: create_grants
INSERT INTO grants (principal_id, role_id, privilege, object_kind, object_id, warehouse_id, granted_by)
SELECT
    %(principal_id)s, %(role_id)s, wanted.privilege, %(object_kind)s, %(object_id)s, %(warehouse_id)s, %(granted_by)s
FROM unnest(%(privileges)s::text[]) AS wanted (privilege)
ON CONFLICT DO NOTHING
RETURNING privilege;

-- name: delete_grants
DELETE FROM grants
WHERE object_kind = %(object_kind)s AND object_id = %(object_id)s
    AND (principal_id = %(principal_id)s OR role_id = %(role_id)s)
    AND privilege = ANY(%(privileges)s::text[])
RETURNING privilege;

-- name: find_tabular
SELECT t.id
FROM namespaces n
JOIN tabulars t ON t.namespace_id = n.id
WHERE n.warehouse_id = %(warehouse_id)s AND n.levels = %(levels)s::text[]
    AND t.name = %(name)s AND t.kind = %(kind)s;

-- Either on one object, or to a principal and roles. Those on what is gone are left out.
-- name: list_grants
SELECT
    g.id, p.name AS principal, r.name AS role, g.privilege, g.object_kind AS kind, w.name AS warehouse,
    coalesce(n.levels, place.levels) AS namespace, t.name, g.granted_by, g.granted_at
FROM grants g
LEFT JOIN principals p ON p.id = g.principal_id
LEFT JOIN roles r ON r.id = g.role_id
LEFT JOIN warehouses w ON w.id = g.warehouse_id
LEFT JOIN namespaces n ON g.object_kind = 'namespace' AND n.id = g.object_id
LEFT JOIN tabulars t ON g.object_kind = t.kind AND t.id = g.object_id
LEFT JOIN namespaces place ON place.id = t.namespace_id
WHERE g.id > %(after)s
    AND (
        g.object_kind = %(object_kind)s AND g.object_id = %(object_id)s
        OR g.principal_id = %(principal_id)s
        OR g.role_id = ANY(%(role_ids)s::bigint[])
    )
    AND (g.object_kind = 'server' OR coalesce(n.id, t.id) IS NOT NULL OR g.object_kind = 'warehouse' AND w.id IS NOT NULL)
ORDER BY g.id
LIMIT %(limit)s;

-- Held tables and views come back with their grants.
-- name: delete_grants_of_gone
DELETE FROM grants g
WHERE g.object_kind = 'warehouse' AND NOT EXISTS (SELECT FROM warehouses w WHERE w.id = g.object_id)
    OR g.object_kind = 'namespace' AND NOT EXISTS (SELECT FROM namespaces n WHERE n.id = g.object_id)
    OR g.object_kind IN ('table', 'view')
        AND NOT EXISTS (SELECT FROM tabulars t WHERE t.id = g.object_id)
        AND NOT EXISTS (SELECT FROM held_tabulars h WHERE h.id = g.object_id);

-- The roles of a principal, each with the shortest way by which it has it: its own role first.
-- name: list_ways_to_roles
WITH RECURSIVE way (role_id, path, names) AS (
    SELECT r.id, ARRAY[r.id], ARRAY[r.name]
    FROM role_members m
    JOIN roles r ON r.id = m.role_id
    WHERE m.member_principal_id = %(principal_id)s
    UNION ALL
    SELECT r.id, way.path || r.id, way.names || r.name
    FROM way
    JOIN role_members m ON m.member_role_id = way.role_id
    JOIN roles r ON r.id = m.role_id
    WHERE r.id <> ALL (way.path)
)
SELECT DISTINCT ON (role_id) role_id, names FROM way ORDER BY role_id, cardinality(path);

-- What somebody was granted at some places.
-- name: find_grants_at
SELECT g.object_kind, g.object_id, g.privilege, g.role_id, g.granted_by, g.granted_at
FROM jsonb_to_recordset(%(places)s::jsonb) AS place (kind text, id bigint)
JOIN grants g ON g.object_kind = place.kind AND g.object_id = place.id
WHERE g.principal_id = %(principal_id)s OR g.role_id = ANY(%(role_ids)s::bigint[])
ORDER BY g.id;

-- The newest request with this id that was refused.
-- name: find_denial
WITH refused AS MATERIALIZED (
    SELECT * FROM audit_events WHERE request_id = %(request_id)s AND action = 'access.denied'
)
SELECT
    e.at, e.operation, e.privilege, e.object_kind, e.namespace, e.name, e.principal, e.principal_id,
    e.details ->> 'message' AS message, w.name AS warehouse
FROM refused e
LEFT JOIN warehouses w ON w.id = e.warehouse_id
ORDER BY e.at DESC
LIMIT 1;

-- name: find_warehouse_owner
SELECT owner_id FROM warehouses WHERE id = %(id)s;
