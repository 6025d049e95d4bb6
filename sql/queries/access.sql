-- Who may do what. A principal's rights are those granted to it and to its roles, of which role_ids has all, also those
-- that it has through other roles.

-- name: load_authority
WITH RECURSIVE mine (role_id) AS (
    (
        SELECT role_id FROM role_members WHERE member_principal_id = %(principal_id)s
        UNION
        SELECT id FROM roles WHERE name = ANY(%(roles)s::text[])
    )
    UNION
    SELECT m.role_id FROM mine JOIN role_members m ON m.member_role_id = mine.role_id
), granted AS (
    SELECT object_kind, object_id, warehouse_id, privilege FROM grants WHERE principal_id = %(principal_id)s
    UNION ALL
    SELECT g.object_kind, g.object_id, g.warehouse_id, g.privilege FROM mine JOIN grants g ON g.role_id = mine.role_id
), owned AS (
    SELECT id FROM warehouses WHERE owner_id = %(principal_id)s
)
SELECT
    ARRAY(SELECT role_id FROM mine ORDER BY role_id) AS role_ids,
    ARRAY(SELECT DISTINCT privilege FROM granted WHERE object_kind = 'server') AS server,
    (
        SELECT coalesce(json_agg(json_build_array(one.id, one.privilege)), '[]')
        FROM (
            SELECT object_id AS id, privilege FROM granted WHERE object_kind = 'warehouse'
            UNION
            SELECT id, 'administer' FROM owned
        ) one
    ) AS warehouses,
    ARRAY(
        SELECT warehouse_id FROM granted WHERE warehouse_id IS NOT NULL
        UNION
        SELECT id FROM owned
        UNION
        SELECT w.id FROM warehouses w
        WHERE EXISTS (
            SELECT FROM namespaces n WHERE n.owner_id = %(principal_id)s AND n.warehouse_id = w.id
        ) OR EXISTS (
            SELECT FROM tabulars t WHERE t.owner_id = %(principal_id)s AND t.warehouse_id = w.id
        )
    ) AS seen;

-- The way to each of several objects, outermost namespace first, with what somebody may do at each place. What is not
-- there has no row. LIMIT keeps the planner at one index lookup per name.
-- name: resolve_places
SELECT
    wanted.position, place.kind, place.id, place.owner_id,
    ARRAY(
        SELECT DISTINCT g.privilege FROM grants g
        WHERE g.object_kind = place.kind AND g.object_id = place.id
            AND (g.principal_id = %(principal_id)s OR g.role_id = ANY(%(role_ids)s::bigint[]))
    ) AS privileges
FROM jsonb_array_elements(%(names)s::jsonb) WITH ORDINALITY AS wanted (identifier, position)
CROSS JOIN LATERAL (
    SELECT ARRAY(SELECT jsonb_array_elements_text(wanted.identifier -> 'namespace')) AS levels
) path
CROSS JOIN LATERAL (
    SELECT depth, 'namespace' AS kind, n.id, n.owner_id
    FROM generate_subscripts(path.levels, 1) AS depth
    CROSS JOIN LATERAL (
        SELECT id, owner_id FROM namespaces
        WHERE warehouse_id = %(warehouse_id)s AND levels = path.levels[1:depth]
        LIMIT 1
    ) n
    UNION ALL
    SELECT cardinality(path.levels) + 1, content.kind, content.id, content.owner_id
    FROM (
        SELECT id FROM namespaces WHERE warehouse_id = %(warehouse_id)s AND levels = path.levels LIMIT 1
    ) n
    CROSS JOIN LATERAL (
        SELECT t.kind, t.id, t.owner_id FROM tabulars t
        WHERE t.namespace_id = n.id AND t.name = wanted.identifier ->> 'name'
            AND t.kind = wanted.identifier ->> 'kind'
        UNION ALL
        SELECT 'function', f.id, NULL FROM functions f
        WHERE f.namespace_id = n.id AND f.name = wanted.identifier ->> 'name'
            AND wanted.identifier ->> 'kind' = 'function'
        LIMIT 1
    ) content
) place
ORDER BY wanted.position, place.depth;

-- Whether there is a namespace, table or view below a namespace that somebody has a right on.
-- name: find_visible_below
SELECT EXISTS (
    SELECT FROM grants g
    JOIN namespaces n ON n.id = g.object_id
    WHERE g.object_kind = 'namespace' AND g.warehouse_id = %(warehouse_id)s
        AND (g.principal_id = %(principal_id)s OR g.role_id = ANY(%(role_ids)s::bigint[]))
        AND n.levels > %(levels)s::text[] AND n.levels < %(beyond)s::text[]
) OR EXISTS (
    SELECT FROM grants g
    JOIN tabulars t ON t.id = g.object_id
    JOIN namespaces n ON n.id = t.namespace_id
    WHERE g.object_kind IN ('table', 'view') AND g.warehouse_id = %(warehouse_id)s
        AND (g.principal_id = %(principal_id)s OR g.role_id = ANY(%(role_ids)s::bigint[]))
        AND n.levels >= %(levels)s::text[] AND n.levels < %(beyond)s::text[]
) OR EXISTS (
    SELECT FROM namespaces n
    WHERE n.owner_id = %(principal_id)s AND n.warehouse_id = %(warehouse_id)s
        AND n.levels > %(levels)s::text[] AND n.levels < %(beyond)s::text[]
) OR EXISTS (
    SELECT FROM tabulars t
    JOIN namespaces n ON n.id = t.namespace_id
    WHERE t.owner_id = %(principal_id)s AND n.warehouse_id = %(warehouse_id)s
        AND n.levels >= %(levels)s::text[] AND n.levels < %(beyond)s::text[]
) AS found;

-- Listings for somebody who has no right on the whole warehouse. whole tells whether there is a right on the namespace
-- or above it, so that all in it may be seen; a row without a name says that nothing is listed.

-- name: list_visible_tabulars
SELECT page.name, place.whole
FROM (
    SELECT n.id, EXISTS (
        SELECT FROM generate_subscripts(n.levels, 1) AS depth
        CROSS JOIN LATERAL (
            SELECT id, owner_id FROM namespaces
            WHERE warehouse_id = %(warehouse_id)s AND levels = (n.levels)[1:depth]
            LIMIT 1
        ) a
        WHERE a.owner_id = %(principal_id)s OR EXISTS (
            SELECT FROM grants g
            WHERE g.object_kind = 'namespace' AND g.object_id = a.id
                AND (g.principal_id = %(principal_id)s OR g.role_id = ANY(%(role_ids)s::bigint[]))
        )
    ) AS whole
    FROM namespaces n
    WHERE n.warehouse_id = %(warehouse_id)s AND n.levels = %(levels)s::text[]
) place
LEFT JOIN LATERAL (
    SELECT t.name FROM tabulars t
    WHERE t.namespace_id = place.id AND t.kind = %(kind)s AND t.name > %(after)s
        AND (place.whole OR t.owner_id = %(principal_id)s OR EXISTS (
            SELECT FROM grants g
            WHERE g.object_kind = t.kind AND g.object_id = t.id
                AND (g.principal_id = %(principal_id)s OR g.role_id = ANY(%(role_ids)s::bigint[]))
        ))
    ORDER BY t.name
    LIMIT %(limit)s
) page ON true
ORDER BY page.name;

-- Functions are seen with the whole of their namespace.
-- name: list_visible_functions
SELECT page.name, place.whole
FROM (
    SELECT n.id, EXISTS (
        SELECT FROM generate_subscripts(n.levels, 1) AS depth
        CROSS JOIN LATERAL (
            SELECT id, owner_id FROM namespaces
            WHERE warehouse_id = %(warehouse_id)s AND levels = (n.levels)[1:depth]
            LIMIT 1
        ) a
        WHERE a.owner_id = %(principal_id)s OR EXISTS (
            SELECT FROM grants g
            WHERE g.object_kind = 'namespace' AND g.object_id = a.id
                AND (g.principal_id = %(principal_id)s OR g.role_id = ANY(%(role_ids)s::bigint[]))
        )
    ) AS whole
    FROM namespaces n
    WHERE n.warehouse_id = %(warehouse_id)s AND n.levels = %(levels)s::text[]
) place
LEFT JOIN LATERAL (
    SELECT f.name FROM functions f
    WHERE place.whole AND f.namespace_id = place.id AND f.name > %(after)s
    ORDER BY f.name
    LIMIT %(limit)s
) page ON true
ORDER BY page.name;

-- The children of a namespace, with an empty parent those at the top: all of them, or those in which there is any
-- right, found from the rights.
-- name: list_visible_namespaces
SELECT page.levels, place.whole
FROM (
    SELECT (
        SELECT id FROM namespaces WHERE warehouse_id = %(warehouse_id)s AND levels = %(parent)s::text[]
    ) AS id, EXISTS (
        SELECT FROM generate_subscripts(%(parent)s::text[], 1) AS depth
        CROSS JOIN LATERAL (
            SELECT id, owner_id FROM namespaces
            WHERE warehouse_id = %(warehouse_id)s AND levels = (%(parent)s::text[])[1:depth]
            LIMIT 1
        ) a
        WHERE a.owner_id = %(principal_id)s OR EXISTS (
            SELECT FROM grants g
            WHERE g.object_kind = 'namespace' AND g.object_id = a.id
                AND (g.principal_id = %(principal_id)s OR g.role_id = ANY(%(role_ids)s::bigint[]))
        )
    ) AS whole
) place
LEFT JOIN LATERAL (
    SELECT n.levels FROM namespaces n
    WHERE place.whole AND n.warehouse_id = %(warehouse_id)s AND n.parent_id = place.id
        AND n.levels > %(after)s::text[]
    UNION
    SELECT b.levels[1:cardinality(%(parent)s::text[]) + 1]
    FROM (
        SELECT g.object_id AS id FROM grants g
        WHERE g.object_kind = 'namespace' AND g.warehouse_id = %(warehouse_id)s
            AND (g.principal_id = %(principal_id)s OR g.role_id = ANY(%(role_ids)s::bigint[]))
        UNION
        SELECT t.namespace_id FROM grants g
        JOIN tabulars t ON t.id = g.object_id
        WHERE g.object_kind IN ('table', 'view') AND g.warehouse_id = %(warehouse_id)s
            AND (g.principal_id = %(principal_id)s OR g.role_id = ANY(%(role_ids)s::bigint[]))
        UNION
        SELECT n.id FROM namespaces n WHERE n.owner_id = %(principal_id)s AND n.warehouse_id = %(warehouse_id)s
        UNION
        SELECT t.namespace_id FROM tabulars t
        WHERE t.owner_id = %(principal_id)s AND t.warehouse_id = %(warehouse_id)s
    ) mine
    JOIN namespaces b ON b.id = mine.id
    WHERE NOT place.whole AND b.levels > %(parent)s::text[]
        AND (%(beyond)s::text[] IS NULL OR b.levels < %(beyond)s::text[])
        AND b.levels[1:cardinality(%(parent)s::text[]) + 1] > %(after)s::text[]
    ORDER BY 1
    LIMIT %(limit)s
) page ON true
ORDER BY page.levels;
