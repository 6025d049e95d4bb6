"""Functions: stored as they were sent, in a space of names of their own."""

from app.auth.authority import Viewer
from app.catalog import tabulars
from app.catalog.context import Caller, Catalog, Warehouse
from app.catalog.idempotency import keep_result, mutation, no_result, once
from app.catalog.limits import check_properties
from app.catalog.namespaces import no_such_namespace
from app.changes.log import Change, record_change
from app.db import ConstraintViolated, Transaction
from app.errors import AlreadyExistsException, NoSuchFunctionException
from app.identifiers import Namespace, TableIdentifier
from app.metadata.shapes import JsonObject


def _revive(_catalog: Catalog, _warehouse: Warehouse, result: JsonObject) -> str:
    return str(result["document"])


def list_functions(
    catalog: Catalog,
    warehouse: Warehouse,
    namespace: Namespace,
    after: str | None,
    limit: int | None,
    viewer: Viewer | None = None,
) -> list[str]:
    """Return the names of the namespace's functions, in byte order, behind ``after``.

    :param viewer: who sees only what it has a right on; None for everything
    :raises NoSuchNamespaceException: when the namespace is missing, or nothing of it may be seen
    """
    return tabulars.list_names(catalog, warehouse, "function", namespace, after, limit, viewer)


def load_function(catalog: Catalog, warehouse: Warehouse, function: TableIdentifier) -> str:
    """Return the function's metadata as JSON text, as it was sent.

    :raises NoSuchNamespaceException: when the namespace is missing
    :raises NoSuchFunctionException: when the function is missing
    """
    row = catalog.db.fetch_one(
        "load_function",
        warehouse_id=warehouse.id,
        levels=list(function.namespace),
        name=function.name,
    )
    if row is None:
        raise no_such_namespace(function.namespace)
    warehouse.names.confirm("namespace", function.namespace, row.namespace_id)
    if row.id is None:
        raise no_such_function(function)
    return str(row.document)


@once(_revive)
def create_function(
    catalog: Catalog,
    caller: Caller,
    warehouse: Warehouse,
    function: TableIdentifier,
    metadata: JsonObject,
    document: str,
) -> str:
    """Store a function and return its metadata as JSON text.

    :param metadata: what :func:`app.metadata.function.read_function_metadata` returned
    :param document: the same as it was sent
    :raises NoSuchNamespaceException: when the namespace is missing
    :raises AlreadyExistsException: when the name or the function's uuid is taken
    """
    check_properties(metadata.get("properties") or {}, catalog.settings.limits, "metadata.properties")
    try:
        with mutation(catalog, caller, warehouse) as tx:
            row = tx.fetch_one(
                "create_function",
                warehouse_id=warehouse.id,
                namespace_id=_share_namespace(tx, warehouse, function.namespace),
                name=function.name,
                uuid=metadata["function-uuid"],
                document=document,
            )
            _record(tx, caller, warehouse.id, "function.created", row.id, function)
            keep_result(tx, caller, warehouse, {"document": document})
    except ConstraintViolated as error:
        if error.constraint == "functions_name_key":
            raise AlreadyExistsException(f"Function already exists: {function}") from error
        if error.constraint == "functions_uuid_key":
            raise AlreadyExistsException(
                f"Function {metadata['function-uuid']} already exists under another name: cannot create {function}"
            ) from error
        raise
    return document


@once(no_result)
def drop_function(catalog: Catalog, caller: Caller, warehouse: Warehouse, function: TableIdentifier) -> None:
    """Forget a function.

    :raises NoSuchNamespaceException: when the namespace is missing
    :raises NoSuchFunctionException: when the function is missing
    """
    with mutation(catalog, caller, warehouse) as tx:
        namespace_id = _share_namespace(tx, warehouse, function.namespace)
        row = tx.fetch_one("drop_function", namespace_id=namespace_id, name=function.name)
        if row is None:
            raise no_such_function(function)
        _record(tx, caller, warehouse.id, "function.dropped", row.id, function)


def drop_functions(
    tx: Transaction,
    caller: Caller,
    warehouse_id: int,
    namespace: Namespace,
    *,
    namespace_id: int,
    job_id: int,
) -> None:
    """Forget the functions of a namespace that are older than a job."""
    for row in tx.fetch_all("drop_functions_of_namespace", namespace_id=namespace_id, job_id=job_id):
        _record(tx, caller, warehouse_id, "function.dropped", row.id, TableIdentifier(namespace, row.name))


def _share_namespace(tx: Transaction, warehouse: Warehouse, namespace: Namespace) -> int:
    row = tx.fetch_one("share_namespace", warehouse_id=warehouse.id, levels=list(namespace))
    if row is None:
        raise no_such_namespace(namespace)
    warehouse.names.confirm("namespace", namespace, row.id)
    return int(row.id)


def no_such_function(function: TableIdentifier) -> NoSuchFunctionException:
    return NoSuchFunctionException(f"Function does not exist: {function}")


def _record(
    tx: Transaction,
    caller: Caller,
    warehouse_id: int,
    action: str,
    function_id: int,
    function: TableIdentifier,
) -> None:
    change = Change(
        action=action,
        warehouse_id=warehouse_id,
        object_id=function_id,
        namespace=function.namespace,
        name=function.name,
    )
    record_change(tx, change, caller.origin)
