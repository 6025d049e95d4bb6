"""What somebody may be allowed to do with an object."""

from collections.abc import Iterable
from enum import StrEnum

from app.errors import BadRequestException


class Privilege(StrEnum):
    """A right on an object and on all that lies in it; the value is its name on the wire."""

    LIST = "list"
    READ_METADATA = "read-metadata"
    READ_DATA = "read-data"
    WRITE_DATA = "write-data"
    CREATE = "create"
    DROP = "drop"
    MANAGE_PROPERTIES = "manage-properties"
    MANAGE_GRANTS = "manage-grants"
    VEND = "vend"
    ADMINISTER = "administer"


Privileges = frozenset[Privilege]
ALL: Privileges = frozenset(Privilege)
NONE: Privileges = frozenset()
READING: Privileges = frozenset(
    {Privilege.LIST, Privilege.READ_METADATA, Privilege.READ_DATA, Privilege.VEND}
)
WRITING: Privileges = READING | {Privilege.WRITE_DATA, Privilege.CREATE, Privilege.MANAGE_PROPERTIES}
SIGNING: Privileges = frozenset({Privilege.VEND, Privilege.READ_DATA, Privilege.WRITE_DATA})
LEVELS: dict[str, Privileges] = {"none": NONE, "read": READING, "write": WRITING, "manage": ALL}
"""What the words of the earlier version mean, as scopes and as ``auth.acl.default_permission``."""


def read_privilege(name: str, field: str) -> Privilege:
    """
    :raises BadRequestException: naming the field and all privileges
    """
    try:
        return Privilege(name)
    except ValueError:
        known = ", ".join(Privilege)
        raise BadRequestException(f"Invalid {field} {name[:64]!r}: expected one of {known}") from None


def privileges_of(names: Iterable[str]) -> Privileges:
    """Return the privileges with these names, and with ``administer`` all of them."""
    return complete(frozenset(Privilege(name) for name in names))


def complete(privileges: Privileges) -> Privileges:
    """Return all privileges if ``administer`` is among these, else these."""
    return ALL if Privilege.ADMINISTER in privileges else privileges
