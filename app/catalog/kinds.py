"""What distinguishes tables from views where the catalog treats them alike."""

from dataclasses import dataclass

from app.errors import (
    AlreadyExistsException,
    ConflictException,
    NoSuchTableException,
    NoSuchViewException,
    ServiceError,
)
from app.identifiers import TableIdentifier


@dataclass(frozen=True, slots=True)
class Kind:
    """``default_codec`` is the codec of metadata files without ``write.metadata.compression-codec``."""

    name: str
    title: str
    uuid_member: str
    default_codec: str
    missing: type[ServiceError]

    def does_not_exist(self, identifier: TableIdentifier) -> ServiceError:
        return self.missing(f"{self.title} does not exist: {identifier}")


TABLE = Kind("table", "Table", "table-uuid", "none", NoSuchTableException)
VIEW = Kind("view", "View", "view-uuid", "gzip", NoSuchViewException)
KINDS = {kind.name: kind for kind in (TABLE, VIEW)}


def name_taken(identifier: TableIdentifier, wanted: Kind, found: Kind) -> AlreadyExistsException:
    """What to say when ``wanted`` shall get a name that ``found`` has."""
    if found is wanted:
        return AlreadyExistsException(f"{found.title} already exists: {identifier}")
    return AlreadyExistsException(f"{found.title} with same name already exists: {identifier}")


def is_protected(title: str, name: object) -> ConflictException:
    """What to say to those who drop something protected without force."""
    return ConflictException(
        f"{title} is protected: {name}; clear its flag 'protected' first, or drop it with force=true"
    )
