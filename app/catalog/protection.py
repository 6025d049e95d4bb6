"""The flag that keeps a namespace, a table or a view from being dropped."""

from app.catalog.context import Caller, Catalog, Warehouse
from app.catalog.idempotency import keep_result, mutation, once
from app.catalog.kinds import Kind
from app.catalog.namespaces import no_such_namespace
from app.catalog.tabulars import lock_tabular
from app.changes.log import Change, record_change
from app.identifiers import Namespace, TableIdentifier
from app.metadata.shapes import JsonObject


def namespace_protection(catalog: Catalog, warehouse: Warehouse, namespace: Namespace) -> bool:
    """
    :raises NoSuchNamespaceException: when it does not exist
    """
    row = catalog.db.fetch_one("load_namespace_protection", warehouse_id=warehouse.id, levels=list(namespace))
    if row is None:
        raise no_such_namespace(namespace)
    warehouse.names.confirm("namespace", namespace, row.id)
    return bool(row.protected)


def tabular_protection(
    catalog: Catalog, warehouse: Warehouse, kind: Kind, identifier: TableIdentifier
) -> bool:
    """
    :raises NoSuchTableException: or its counterpart for views, also when the namespace is missing
    """
    row = catalog.db.fetch_one(
        "load_tabular_protection",
        warehouse_id=warehouse.id,
        levels=list(identifier.namespace),
        name=identifier.name,
        kind=kind.name,
    )
    if row is None:
        raise kind.does_not_exist(identifier)
    warehouse.names.confirm(kind.name, identifier, row.id)
    return bool(row.protected)


def _revive(_catalog: Catalog, _warehouse: Warehouse, result: JsonObject) -> bool:
    return bool(result["protected"])


@once(_revive)
def protect_namespace(
    catalog: Catalog, caller: Caller, warehouse: Warehouse, namespace: Namespace, protected: bool
) -> bool:
    """Set or clear the flag of a namespace; what is in it has flags of its own.

    :raises NoSuchNamespaceException: when it does not exist
    """
    with mutation(catalog, caller, warehouse) as tx:
        keep_result(tx, caller, warehouse, {"protected": protected})
        row = tx.fetch_one("lock_namespace", warehouse_id=warehouse.id, levels=list(namespace))
        if row is None:
            raise no_such_namespace(namespace)
        warehouse.names.confirm("namespace", namespace, row.id)
        if row.protected != protected:
            tx.execute("protect_namespace", id=row.id, protected=protected)
            change = Change(
                action=_action("namespace", protected),
                warehouse_id=warehouse.id,
                object_id=row.id,
                namespace=namespace,
            )
            record_change(tx, change, caller.origin)
    return protected


@once(_revive)
def protect_tabular(
    catalog: Catalog,
    caller: Caller,
    warehouse: Warehouse,
    kind: Kind,
    identifier: TableIdentifier,
    protected: bool,
) -> bool:
    """Set or clear the flag of a table or view.

    :raises NoSuchTableException: or its counterpart for views, also when the namespace is missing
    """
    with mutation(catalog, caller, warehouse) as tx:
        keep_result(tx, caller, warehouse, {"protected": protected})
        row = lock_tabular(tx, warehouse, kind, identifier)
        if row.protected != protected:
            tx.execute("protect_tabular", id=row.id, protected=protected)
            change = Change(
                action=_action(kind.name, protected),
                warehouse_id=warehouse.id,
                object_id=row.id,
                namespace=identifier.namespace,
                name=identifier.name,
                before_pointer=row.metadata_location,
                after_pointer=row.metadata_location,
            )
            record_change(tx, change, caller.origin)
    return protected


def _action(kind: str, protected: bool) -> str:
    return f"{kind}.protected" if protected else f"{kind}.unprotected"
