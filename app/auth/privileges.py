"""What somebody may be allowed to do with an object."""

from enum import StrEnum


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
