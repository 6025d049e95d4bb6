"""What distinguishes tables from views where the catalog treats them alike."""

from dataclasses import dataclass

from app.errors import NoSuchTableException, NoSuchViewException, ServiceError
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
