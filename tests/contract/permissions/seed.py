"""Principals, keys, roles and grants, written to the database as the service keeps them."""

import hashlib
import secrets

from tests.contract.permissions.places import Place
from tests.contract.permissions.table import Rights
from tests.support.postgres import DatabaseAddress

PRINCIPAL = """INSERT INTO principals (name, kind, disabled, created_by) VALUES (%s, 'service', %s, 'test')
    RETURNING id"""
KEY = """INSERT INTO api_keys (principal_id, name, key_hash, scopes, created_by) VALUES (%s, 'key', %s, %s, 'test')
    RETURNING id"""
ROLE = "INSERT INTO roles (name, created_by) VALUES (%s, 'test') RETURNING id"
MEMBER = """INSERT INTO role_members (role_id, member_principal_id, member_role_id, added_by)
    SELECT id, %s, %s, 'test' FROM roles WHERE name = %s RETURNING id"""
LEAVE = """DELETE FROM role_members USING roles WHERE roles.id = role_id AND roles.name = %s
    AND (member_principal_id = %s OR member_role_id = %s)"""
GRANT = """INSERT INTO grants (principal_id, role_id, privilege, object_kind, object_id, warehouse_id, granted_by)
    VALUES (%s, %s, %s, %s, %s, %s, 'test') RETURNING id"""
NAMESPACE = """SELECT n.id, w.id FROM namespaces n JOIN warehouses w ON w.id = n.warehouse_id
    WHERE w.name = %s AND n.levels = %s"""
TABULAR = """SELECT t.id, w.id FROM tabulars t JOIN namespaces n ON n.id = t.namespace_id
    JOIN warehouses w ON w.id = n.warehouse_id WHERE w.name = %s AND n.levels = %s AND t.name = %s"""
BUMP = "UPDATE security_version SET version = version + 1"


class Seed:
    """Writes as nobody in particular; ``changed`` makes the service look."""

    def __init__(self, database: DatabaseAddress) -> None:
        self.database = database

    def principal(self, name: str, *, disabled: bool = False) -> int:
        return self._insert(PRINCIPAL, name, disabled)

    def key(self, principal: int, scope: str = "") -> tuple[str, int]:
        """Return a new key of a principal, and its id."""
        key = f"bingsan_{secrets.token_urlsafe(32)}"
        digest = hashlib.sha256(key.encode()).digest()
        return key, self._insert(KEY, principal, digest, [scope or "catalog"])

    def role(self, name: str) -> int:
        return self._insert(ROLE, name)

    def give(self, rights: Rights, principal: int | None = None, role: int | None = None) -> None:
        for name in rights.roles:
            self.join(name, principal, role)
        for privileges, target in rights.grants:
            for privilege in privileges:
                self.grant(privilege, target, principal, role)

    def join(self, name: str, principal: int | None = None, role: int | None = None) -> None:
        self._insert(MEMBER, principal, role, name)

    def leave(self, name: str, principal: int | None = None, role: int | None = None) -> None:
        self.database.query(LEAVE, name, principal, role)
        self.changed()

    def grant(
        self, privilege: str, target: str, principal: int | None = None, role: int | None = None
    ) -> int:
        """Return the grant's id."""
        kind, _, name = target.partition(":")
        return self._insert(GRANT, principal, role, privilege, kind, *self._object(kind, name))

    def grant_at(
        self,
        privilege: str,
        kind: str,
        place: Place,
        principal: int | None = None,
        role: int | None = None,
    ) -> int:
        """The same for a namespace, table or view whose name has a dot in it."""
        return self._insert(GRANT, principal, role, privilege, kind, *self._inside(kind, place))

    def ungrant(self, grant: int) -> None:
        self.database.query("DELETE FROM grants WHERE id = %s", grant)
        self.changed()

    def changed(self) -> None:
        self.database.query(BUMP)

    def _object(self, kind: str, name: str) -> tuple[int, int | None]:
        if kind == "server":
            return 0, None
        if kind == "warehouse":
            ((number,),) = self.database.query("SELECT id FROM warehouses WHERE name = %s", name)
            return number, number
        return self._inside(kind, Place.of(name))

    def _inside(self, kind: str, place: Place) -> tuple[int, int]:
        if kind == "namespace":
            (found,) = self.database.query(NAMESPACE, place.warehouse, place.levels)
        else:
            (found,) = self.database.query(TABULAR, place.warehouse, place.above.levels, place.name)
        return found[0], found[1]

    def _insert(self, statement: str, *parameters: object) -> int:
        ((number,),) = self.database.query(statement, *parameters)
        self.changed()
        return int(number)
