"""One object's part in a commit: what is there, and what shall be there."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TypeVar

import msgspec

from app.catalog.context import Catalog, Warehouse
from app.catalog.file_names import unique_text
from app.catalog.kinds import KINDS, Kind, name_taken
from app.catalog.limits import check_properties
from app.catalog.locations import check_object_location
from app.catalog.metadata_files import encode_document
from app.catalog.packing import LEAST_PACKED, document_of, pack
from app.db import Database, Row, Transaction
from app.errors import NoSuchNamespaceException
from app.identifiers import TableIdentifier
from app.metadata.files import metadata_file_location, write_paths
from app.metadata.shapes import JsonObject
from app.storage.registry import Storages

T = TypeVar("T")
# Characters of JSON that the rules work through in a few milliseconds; more would hold up the event loop.
LARGE = 131_072


class Base:
    """What the database holds under a name; nothing but the namespace, or not even that, may be there."""

    def __init__(self, row: Row) -> None:
        self.namespace_id: int | None = row.namespace_id
        self.namespace_location: str = row.namespace_location
        self.id: int | None = row.id
        self.kind: str | None = row.kind
        self.location: str | None = row.location
        self.metadata_location: str | None = row.metadata_location
        self.packs: bool = row.packs
        self._row = row

    @cached_property
    def document(self) -> str | None:
        """The current document as JSON text."""
        return None if self.id is None else document_of(self._row)

    @property
    def is_large(self) -> bool:
        """Whether the current document is, without unpacking it."""
        return self._row.packed is not None or len(self._row.document or "") >= LARGE

    @cached_property
    def metadata(self) -> JsonObject | None:
        """The current document, parsed. Never changed in place."""
        return None if self.document is None else msgspec.json.decode(self.document)

    def has(self, kind: Kind) -> bool:
        return self.kind == kind.name

    def check_free(self, identifier: TableIdentifier, kind: Kind) -> None:
        """
        :param kind: what shall be put there
        :raises NoSuchNamespaceException: when there is no namespace to put something into
        :raises AlreadyExistsException: when a table or a view has the name
        """
        if self.namespace_id is None:
            raise NoSuchNamespaceException(f"Namespace does not exist: {identifier.namespace}")
        if self.kind is not None:
            raise name_taken(identifier, kind, KINDS[self.kind])


@dataclass(frozen=True, slots=True)
class Intent:
    """A wish to create or change one object.

    ``produce`` gets what is there and returns the next document: the very same object when nothing changes. It is
    called again when somebody else was faster; it does no I/O and runs in a thread when ``size``, the bytes of what
    was asked for, or the current document is large. ``adopted`` names a metadata file that is there already.
    """

    identifier: TableIdentifier
    kind: Kind
    produce: Callable[[Base], JsonObject]
    adopted: str | None = None
    size: int = 0


@dataclass(frozen=True, slots=True)
class Prepared:
    """An intent worked out against a base, ready to be written and swapped in.

    ``packed`` is the document as it is stored if that is not as text.
    """

    intent: Intent
    base: Base
    metadata: JsonObject
    metadata_location: str
    document: str
    packed: bytes | None = None

    @property
    def is_new(self) -> bool:
        return self.base.id is None

    @property
    def is_changed(self) -> bool:
        return self.metadata_location != self.base.metadata_location

    @property
    def moves(self) -> bool:
        """Whether the object takes a place in storage that it did not have."""
        return self.is_changed and self.metadata["location"] != self.base.location

    @property
    def uuid(self) -> str | None:
        return self._uuid_in(self.metadata)

    @property
    def keeps_identity(self) -> bool:
        """Whether it is still known by the same uuid and place, and by a file that nobody else can have."""
        return not self.moves and self.writes_file and self.uuid == self._uuid_in(self.base.metadata or {})

    def _uuid_in(self, metadata: JsonObject) -> str | None:
        return metadata.get(self.intent.kind.uuid_member)

    @property
    def writes_file(self) -> bool:
        return self.is_changed and self.intent.adopted is None


def read_bases(source: Database | Transaction, warehouse: Warehouse, intents: Sequence[Intent]) -> list[Base]:
    """Read what is under the names of all intents in one statement, in their order.

    :raises MeaningChanged: when it is not what the caller was authorized for
    """
    bases = [Base(row) for row in _read(source, warehouse, [intent.identifier for intent in intents])]
    for intent, base in zip(intents, bases, strict=True):
        _confirm(warehouse, intent, base)
    return bases


def _read(
    source: Database | Transaction, warehouse: Warehouse, names: Sequence[TableIdentifier]
) -> list[Row]:
    if len(names) == 1:
        levels = list(names[0].namespace)
        return source.fetch_all("read_tabular", warehouse_id=warehouse.id, levels=levels, name=names[0].name)
    text = msgspec.json.encode([{"namespace": name.namespace, "name": name.name} for name in names]).decode()
    return source.fetch_all("read_tabulars", warehouse_id=warehouse.id, names=text)


def _confirm(warehouse: Warehouse, intent: Intent, base: Base) -> None:
    """That of a new object needs no rights of its own, but those of its namespace."""
    warehouse.names.confirm("namespace", intent.identifier.namespace, base.namespace_id)
    found = base.id if base.has(intent.kind) else None
    warehouse.names.confirm_if_asked(intent.kind.name, intent.identifier, found)


def prepare(catalog: Catalog, warehouse: Warehouse, intent: Intent, base: Base) -> Prepared:
    """Work out the next document and check that the service may write where it says.

    :raises ServiceError: when the intent cannot be carried out
    """
    metadata = _run(catalog, intent, base, lambda: intent.produce(base))
    if metadata is base.metadata and base.document is not None and base.metadata_location is not None:
        return Prepared(intent, base, metadata, base.metadata_location, base.document)
    storages = catalog.storages.of(warehouse)
    _check_places(storages, base, metadata)
    if metadata.get("properties") != (base.metadata or {}).get("properties"):
        check_properties(metadata.get("properties", {}), catalog.settings.limits)
    location = intent.adopted or metadata_file_location(
        metadata, base.metadata_location, unique_text(warehouse), default_codec=intent.kind.default_codec
    )
    storages.for_location(location)
    document, packed = _run(catalog, intent, base, partial(_texts, metadata, base.packs))
    return Prepared(intent, base, metadata, location, document, packed)


def _run(catalog: Catalog, intent: Intent, base: Base, work: Callable[[], T]) -> T:
    """Do what takes long for large documents beside the event loop."""
    if intent.size < LARGE and not base.is_large:
        return work()
    return catalog.cpu.run(work)


def _texts(metadata: JsonObject, packs: bool) -> tuple[str, bytes | None]:
    document = encode_document(metadata)
    return document, pack(document) if packs and len(document) >= LEAST_PACKED else None


def _check_places(storages: Storages, base: Base, metadata: JsonObject) -> None:
    places = write_paths(metadata)
    known = write_paths(base.metadata) if base.metadata else []
    for place in places:
        if place not in known:
            storages.allowed.check(place)
    if metadata["location"] != base.location:
        check_object_location(storages, metadata["location"])
