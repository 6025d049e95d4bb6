"""Views: every operation of the specification on them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import uuid4

from app.auth.authority import Viewer
from app.catalog import drops, tabulars
from app.catalog.commits import commit, create
from app.catalog.context import Caller, Catalog, Warehouse
from app.catalog.documents import revive_document
from app.catalog.idempotency import mutation, no_result, once
from app.catalog.intents import Base, Intent
from app.catalog.kinds import VIEW
from app.catalog.locations import table_location
from app.catalog.metadata_files import read_metadata_file
from app.catalog.packing import document_of
from app.catalog.times import now_ms
from app.identifiers import Namespace, TableIdentifier
from app.metadata.shapes import JsonObject
from app.metadata.view import check_view_requirements, new_view_metadata, parse_view_metadata
from app.metadata.view_updates import apply_view_updates


class LoadedView(NamedTuple):
    """``document`` is the metadata as JSON text."""

    metadata_location: str
    document: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewView:
    """What createView asks for; schema and version are JSON objects that the metadata rules check."""

    identifier: TableIdentifier
    schema: Any
    view_version: Any
    location: str | None = None
    properties: dict[str, str] = field(default_factory=dict)

    def produce(self, base: Base, max_columns: int) -> JsonObject:
        base.check_free(self.identifier, VIEW)
        uuid = str(uuid4())
        return new_view_metadata(
            view_uuid=uuid,
            location=self.location or table_location(base.namespace_location, self.identifier.name, uuid),
            schema=self.schema,
            version=self.view_version,
            properties=self.properties,
            max_columns=max_columns,
        )


def _revive(catalog: Catalog, warehouse: Warehouse, result: JsonObject) -> LoadedView:
    return LoadedView(*revive_document(catalog, warehouse, result, VIEW))


def list_views(
    catalog: Catalog,
    warehouse: Warehouse,
    namespace: Namespace,
    after: str | None,
    limit: int | None,
    viewer: Viewer | None = None,
) -> list[str]:
    """Return the names of the namespace's views, in byte order, behind ``after``.

    :param viewer: who sees only what it has a right on; None for everything
    :raises NoSuchNamespaceException: when the namespace is missing, or nothing of it may be seen
    """
    return tabulars.list_names(catalog, warehouse, "view", namespace, after, limit, viewer)


@once(_revive)
def create_view(catalog: Catalog, caller: Caller, warehouse: Warehouse, new: NewView) -> LoadedView:
    """Create a view with its first version and metadata file.

    :raises NoSuchNamespaceException: when the namespace is missing
    :raises AlreadyExistsException: when a table or view has the name
    """
    max_columns = catalog.settings.limits.max_columns
    intent = Intent(new.identifier, VIEW, lambda base: new.produce(base, max_columns))
    created = create(catalog, caller, warehouse, intent)
    return LoadedView(created.metadata_location, created.document)


def load_view(catalog: Catalog, warehouse: Warehouse, view: TableIdentifier) -> LoadedView:
    """
    :raises NoSuchViewException: when it, or its namespace, does not exist
    """
    row = tabulars.fetch(catalog, warehouse, "load_view", VIEW, view)
    return LoadedView(row.metadata_location, document_of(row))


def view_exists(catalog: Catalog, warehouse: Warehouse, view: TableIdentifier) -> None:
    """
    :raises NoSuchViewException: when it, or its namespace, does not exist
    """
    tabulars.fetch(catalog, warehouse, "view_exists", VIEW, view)


@once(_revive)
def replace_view(
    catalog: Catalog,
    caller: Caller,
    warehouse: Warehouse,
    view: TableIdentifier,
    requirements: Sequence[Any],
    updates: Sequence[Any],
) -> LoadedView:
    """Commit to a view.

    :raises CommitFailedException: when a requirement does not hold
    :raises NoSuchViewException: when the view is gone
    :raises CommitStateUnknownException: when the commit may or may not be applied
    """

    def produce(base: Base) -> JsonObject:
        current = base.metadata
        if not base.has(VIEW) or current is None:
            raise VIEW.does_not_exist(view)
        check_view_requirements(current, requirements)
        return apply_view_updates(
            current, updates, now_ms=now_ms(), max_columns=catalog.settings.limits.max_columns
        )

    (committed,) = commit(catalog, caller, warehouse, [Intent(view, VIEW, produce)])
    return LoadedView(committed.metadata_location, committed.document)


@once(no_result)
def drop_view(
    catalog: Catalog, caller: Caller, warehouse: Warehouse, view: TableIdentifier, *, force: bool = False
) -> None:
    """Forget a view, or hold it where the warehouse has soft delete; its files stay.

    :param force: even if it is protected
    :raises NoSuchViewException: when it, or its namespace, does not exist
    :raises ConflictException: when it is protected
    """
    with mutation(catalog, caller, warehouse) as tx:
        drops.drop(tx, caller, warehouse, VIEW, view, purge=False, force=force)


@once(_revive)
def register_view(
    catalog: Catalog, caller: Caller, warehouse: Warehouse, view: TableIdentifier, metadata_location: str
) -> LoadedView:
    """Adopt an existing metadata file as it is.

    :raises NotFoundException: when the file is missing
    :raises ValidationException: when it is no valid view metadata
    :raises NoSuchNamespaceException: when the namespace is missing
    :raises AlreadyExistsException: when the name, the view's uuid or the file is taken
    """
    metadata = parse_view_metadata(read_metadata_file(catalog, warehouse, metadata_location))

    def produce(base: Base) -> JsonObject:
        base.check_free(view, VIEW)
        return metadata

    intent = Intent(view, VIEW, produce, adopted=metadata_location)
    registered = create(catalog, caller, warehouse, intent)
    return LoadedView(registered.metadata_location, registered.document)


@once(no_result)
def rename_view(
    catalog: Catalog,
    caller: Caller,
    warehouse: Warehouse,
    source: TableIdentifier,
    destination: TableIdentifier,
) -> None:
    """Give a view another name, also in another namespace.

    :raises NoSuchViewException: when the source does not exist
    :raises NoSuchNamespaceException: when the destination's namespace does not exist
    :raises AlreadyExistsException: when a table or view has the new name
    """
    tabulars.rename(catalog, caller, warehouse, VIEW, source, destination)
