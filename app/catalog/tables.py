"""Tables: every operation of the specification on them."""

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import msgspec

from app.auth.authority import Viewer
from app.catalog import drops, tabulars
from app.catalog.commits import commit, create
from app.catalog.context import Caller, Catalog, Warehouse
from app.catalog.documents import document_result, revive_document
from app.catalog.idempotency import keep_result, mutation, no_result, once
from app.catalog.intents import Base, Intent, prepare, read_bases
from app.catalog.kinds import TABLE
from app.catalog.locations import Holder, refuse_obstacle
from app.catalog.metadata_files import encode_document, read_metadata_file
from app.catalog.packing import document_of
from app.catalog.table_requests import NewTable, TableCommit
from app.identifiers import Namespace, TableIdentifier
from app.metadata import snapshots
from app.metadata.shapes import JsonObject
from app.metadata.table import parse_table_metadata


class LoadedTable(NamedTuple):
    """``document`` is the metadata as JSON text."""

    metadata_location: str
    document: str


def _revive(catalog: Catalog, warehouse: Warehouse, result: JsonObject) -> LoadedTable:
    return LoadedTable(*revive_document(catalog, warehouse, result, TABLE))


def _revive_staged(_catalog: Catalog, _warehouse: Warehouse, result: JsonObject) -> str:
    return str(result["document"])


def list_tables(
    catalog: Catalog,
    warehouse: Warehouse,
    namespace: Namespace,
    after: str | None,
    limit: int | None,
    viewer: Viewer | None = None,
) -> list[str]:
    """Return the names of the namespace's tables, in byte order, behind ``after``.

    :param viewer: who sees only what it has a right on; None for everything
    :raises NoSuchNamespaceException: when the namespace is missing, or nothing of it may be seen
    """
    return tabulars.list_names(catalog, warehouse, "table", namespace, after, limit, viewer)


@once(_revive)
def create_table(catalog: Catalog, caller: Caller, warehouse: Warehouse, new: NewTable) -> LoadedTable:
    """Create a table with fresh ids and its first metadata file.

    :raises NoSuchNamespaceException: when the namespace is missing
    :raises AlreadyExistsException: when a table or view has the name
    """
    created = create(catalog, caller, warehouse, _creation(catalog, new))
    return LoadedTable(created.metadata_location, created.document)


@once(_revive_staged)
def stage_table(catalog: Catalog, caller: Caller, warehouse: Warehouse, new: NewTable) -> str:
    """Return the metadata, as JSON text, of a table that the client will create by a later commit.

    Nothing is stored, but what a duplicate under the same idempotency key has to get.
    """
    intent = _creation(catalog, new)
    (base,) = read_bases(catalog.db, warehouse, [intent])
    prepared = prepare(catalog, warehouse, intent, base)
    holder = Holder(caller.identity, new.identifier)
    refuse_obstacle(catalog.db, warehouse, prepared.metadata["location"], holder=holder)
    if caller.idempotency is not None:
        with mutation(catalog, caller, warehouse) as tx:
            keep_result(tx, caller, warehouse, {"document": prepared.document})
    return prepared.document


def load_table(
    catalog: Catalog, warehouse: Warehouse, table: TableIdentifier, *, referenced_only: bool = False
) -> LoadedTable:
    """
    :param referenced_only: leave out snapshots that no branch or tag points to
    :raises NoSuchTableException: when it, or its namespace, does not exist
    """
    row = tabulars.fetch(catalog, warehouse, "load_table", TABLE, table)
    document = document_of(row)
    if referenced_only:
        document = catalog.cpu.run(partial(_reduced, document))
    return LoadedTable(row.metadata_location, document)


def load_table_pointer(catalog: Catalog, warehouse: Warehouse, table: TableIdentifier) -> str:
    """Return the table's metadata location.

    :raises NoSuchTableException: when it, or its namespace, does not exist
    """
    return str(tabulars.fetch(catalog, warehouse, "load_table_pointer", TABLE, table).metadata_location)


def load_table_location(catalog: Catalog, warehouse: Warehouse, table: TableIdentifier) -> str:
    """Return where the table's files lie.

    :raises NoSuchTableException: when it, or its namespace, does not exist
    """
    return str(tabulars.fetch(catalog, warehouse, "table_exists", TABLE, table).location)


def table_exists(catalog: Catalog, warehouse: Warehouse, table: TableIdentifier) -> None:
    """
    :raises NoSuchTableException: when it, or its namespace, does not exist
    """
    tabulars.fetch(catalog, warehouse, "table_exists", TABLE, table)


@once(_revive)
def update_table(
    catalog: Catalog,
    caller: Caller,
    warehouse: Warehouse,
    table: TableIdentifier,
    requirements: Sequence[Any],
    updates: Sequence[Any],
) -> LoadedTable:
    """Commit to a table, or create it when ``assert-create`` is required.

    :raises CommitFailedException: when a requirement does not hold
    :raises NoSuchTableException: when the table is gone
    :raises CommitStateUnknownException: when the commit may or may not be applied
    """
    intent = table_intent(catalog, caller, [TableCommit(table, requirements, updates)])
    (committed,) = commit(catalog, caller, warehouse, [intent])
    return LoadedTable(committed.metadata_location, committed.document)


def table_intent(catalog: Catalog, caller: Caller, steps: Sequence[TableCommit]) -> Intent:
    """The intent of commits to one table that follow each other; each is checked against what the last one left."""
    table = steps[0].table

    def produce(base: Base) -> JsonObject:
        current = base.metadata if base.has(TABLE) else None
        for step in steps:
            # Only what is in storage goes into the metadata log, once.
            logged = base.metadata_location if current is base.metadata else None
            current = step.apply(catalog, base, current, logged)
        assert current is not None
        return current

    return Intent(table, TABLE, produce, size=caller.request_bytes)


@once(no_result)
def drop_table(
    catalog: Catalog,
    caller: Caller,
    warehouse: Warehouse,
    table: TableIdentifier,
    *,
    purge: bool,
    force: bool = False,
) -> None:
    """Forget a table, or hold it where the warehouse has soft delete; with ``purge`` a job deletes its files
    afterwards.

    :param force: even if it is protected
    :raises NoSuchTableException: when it, or its namespace, does not exist
    :raises ConflictException: when it is protected
    """
    with mutation(catalog, caller, warehouse) as tx:
        drops.drop(tx, caller, warehouse, TABLE, table, purge=purge, force=force)


@once(_revive)
def unregister_table(
    catalog: Catalog, caller: Caller, warehouse: Warehouse, table: TableIdentifier, *, force: bool = False
) -> LoadedTable:
    """Forget a table and return it as it was last; its files stay, and it is never held.

    :param force: even if it is protected
    :raises NoSuchTableException: when it, or its namespace, does not exist
    :raises ConflictException: when it is protected
    """
    with mutation(catalog, caller, warehouse) as tx:
        row = drops.unregister(tx, caller, warehouse, table, force=force)
        keep_result(tx, caller, warehouse, document_result(row.metadata_location, row.id))
    return LoadedTable(row.metadata_location, document_of(row))


@once(no_result)
def rename_table(
    catalog: Catalog,
    caller: Caller,
    warehouse: Warehouse,
    source: TableIdentifier,
    destination: TableIdentifier,
) -> None:
    """Give a table another name, also in another namespace; its location stays.

    :raises NoSuchTableException: when the source does not exist
    :raises NoSuchNamespaceException: when the destination's namespace does not exist
    :raises AlreadyExistsException: when a table or view has the new name
    """
    tabulars.rename(catalog, caller, warehouse, TABLE, source, destination)


@once(_revive)
def register_table(
    catalog: Catalog,
    caller: Caller,
    warehouse: Warehouse,
    table: TableIdentifier,
    metadata_location: str,
    *,
    overwrite: bool = False,
) -> LoadedTable:
    """Adopt an existing metadata file as it is. With ``overwrite`` an existing table points to it from now on.

    :raises NotFoundException: when the file is missing
    :raises ValidationException: when it is no valid table metadata
    :raises NoSuchNamespaceException: when the namespace is missing
    :raises AlreadyExistsException: when the name, the table's uuid or the file is taken
    """
    document = read_metadata_file(catalog, warehouse, metadata_location)
    metadata = catalog.cpu.run(lambda: parse_table_metadata(document))

    def produce(base: Base) -> JsonObject:
        if not (overwrite and base.has(TABLE)):
            base.check_free(table, TABLE)
        return metadata

    intent = Intent(table, TABLE, produce, adopted=metadata_location)
    registered = create(catalog, caller, warehouse, intent)
    return LoadedTable(registered.metadata_location, registered.document)


def _creation(catalog: Catalog, new: NewTable) -> Intent:
    max_columns = catalog.settings.limits.max_columns
    return Intent(new.identifier, TABLE, lambda base: new.produce(base, max_columns))


def _reduced(document: str) -> str:
    return encode_document(snapshots.referenced_only(msgspec.json.decode(document)))
