-- name: list_roles
SELECT id, name, created_by, created_at FROM roles
WHERE name > %(after)s
ORDER BY name
LIMIT %(limit)s;

-- name: load_role
SELECT id, name, created_by, created_at FROM roles WHERE name = %(name)s;

-- name: create_role
INSERT INTO roles (name, created_by) VALUES (%(name)s, %(created_by)s)
RETURNING id, name, created_by, created_at;

-- name: delete_role
DELETE FROM roles WHERE name = %(name)s
RETURNING id, name;

-- name: list_role_members
SELECT m.id, p.name AS principal, r.name AS role, m.added_by, m.added_at
FROM role_members m
LEFT JOIN principals p ON p.id = m.member_principal_id
LEFT JOIN roles r ON r.id = m.member_role_id
WHERE m.role_id = %(role_id)s AND m.id > %(after)s
ORDER BY m.id
LIMIT %(limit)s;

-- name: add_role_member
INSERT INTO role_members (role_id, member_principal_id, member_role_id, added_by)
VALUES (%(role_id)s, %(principal_id)s, %(member_role_id)s, %(added_by)s)
ON CONFLICT DO NOTHING
RETURNING id;

-- name: remove_role_member
DELETE FROM role_members
WHERE role_id = %(role_id)s
    AND (member_principal_id = %(principal_id)s OR member_role_id = %(member_role_id)s)
RETURNING id;

-- Whether one role is another one, or a member of it by however many others.
-- name: is_within_role
WITH RECURSIVE above (role_id) AS (
    SELECT %(role_id)s::bigint
    UNION
    SELECT m.role_id FROM above JOIN role_members m ON m.member_role_id = above.role_id
)
SELECT EXISTS (SELECT FROM above WHERE role_id = %(other_id)s) AS found;

-- Somebody who can come in and administers the server, by itself or by its roles.
-- name: find_active_administrator
WITH RECURSIVE powerful (role_id) AS (
    SELECT role_id FROM grants
    WHERE object_kind = 'server' AND object_id = 0 AND privilege = 'administer' AND role_id IS NOT NULL
    UNION
    SELECT m.member_role_id FROM powerful
    JOIN role_members m ON m.role_id = powerful.role_id AND m.member_role_id IS NOT NULL
)
SELECT p.id FROM principals p
WHERE p.deleted_at IS NULL AND NOT p.disabled AND (
    EXISTS (
        SELECT FROM grants g
        WHERE g.principal_id = p.id AND g.object_kind = 'server' AND g.object_id = 0 AND g.privilege = 'administer'
    ) OR EXISTS (
        SELECT FROM powerful JOIN role_members m ON m.role_id = powerful.role_id
        WHERE m.member_principal_id = p.id
    )
)
LIMIT 1;
