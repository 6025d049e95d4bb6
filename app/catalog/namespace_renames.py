"""Another name for a namespace and for all below it; tables and views stay as they are, and where they are."""

from app.catalog.context import Caller, Catalog, Warehouse
from app.catalog.idempotency import mutation, no_result, once
from app.catalog.namespaces import no_such_namespace, tree_of
from app.changes.log import Change, record_change
from app.db import ConstraintViolated, Row, Transaction
from app.errors import AlreadyExistsException, BadRequestException, IllegalArgumentException
from app.identifiers import Namespace
from app.observability.failpoints import failpoint


@once(no_result)
def rename_namespace(
    catalog: Catalog, caller: Caller, warehouse: Warehouse, source: Namespace, destination: Namespace
) -> None:
    """Move a namespace with all below it, also below another parent. Its location and ids stay.

    :raises NoSuchNamespaceException: when the source or the destination's parent does not exist
    :raises AlreadyExistsException: when the destination exists
    :raises IllegalArgumentException: when the destination lies below the source
    :raises BadRequestException: when a namespace would become deeper than ``limits.max_namespace_depth``
    """
    if destination != source and destination.is_within(source):
        raise IllegalArgumentException(
            f"Invalid destination {destination}: a namespace cannot be moved below itself"
        )
    try:
        with mutation(catalog, caller, warehouse) as tx:
            tx.fetch_one("lock_namespace_renames", warehouse_id=warehouse.id)
            parent_id = _lock_parent(tx, warehouse, destination)
            tree = _lock_tree(tx, warehouse, source)
            root = next(row for row in tree if row.levels == list(source))
            warehouse.names.confirm("namespace", source, root.id)
            failpoint("namespace_rename.locked")
            if source == destination:
                return
            _check_depth(tree, source, destination, catalog.settings.limits.max_namespace_depth)
            tx.execute(
                "rename_namespaces",
                id=root.id,
                parent_id=parent_id,
                destination=list(destination),
                **tree_of(warehouse.id, source),
            )
            change = Change(
                action="namespace.renamed",
                warehouse_id=warehouse.id,
                object_id=root.id,
                namespace=source,
                details={"namespace": destination, "namespaces": len(tree)},
            )
            record_change(tx, change, caller.origin)
    except ConstraintViolated as error:
        if error.constraint == "namespaces_levels_key":
            raise AlreadyExistsException(f"Namespace already exists: {destination}") from error
        raise


def _lock_parent(tx: Transaction, warehouse: Warehouse, destination: Namespace) -> int | None:
    """Keep the new parent from being dropped. Before the tree: who drops it waits for its children."""
    if not destination.parent:
        return None
    parent = tx.fetch_one("share_namespace", warehouse_id=warehouse.id, levels=list(destination.parent))
    if parent is None:
        raise no_such_namespace(destination.parent)
    warehouse.names.confirm("namespace", destination.parent, parent.id)
    return int(parent.id)


def _lock_tree(tx: Transaction, warehouse: Warehouse, source: Namespace) -> list[Row]:
    """Lock a namespace and all below it against drops and against creations inside of it.

    A creation that is under way shows only after its parent is locked, hence again until nothing new shows up.
    """
    tree: list[Row] = []
    while True:
        found = tx.fetch_all("lock_namespace_tree", **tree_of(warehouse.id, source))
        if not any(row.levels == list(source) for row in found):
            raise no_such_namespace(source)
        if len(found) == len(tree):
            return found
        tree = found


def _check_depth(tree: list[Row], source: Namespace, destination: Namespace, limit: int) -> None:
    depth = max(len(row.levels) for row in tree) + len(destination) - len(source)
    if depth > limit:
        raise BadRequestException(
            f"Invalid destination: {depth} levels below it exceed limits.max_namespace_depth ({limit})"
        )
