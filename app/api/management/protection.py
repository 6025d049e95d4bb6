"""The flag that keeps namespaces, tables and views from being dropped."""

from app.api.answers import Response, json_answer
from app.api.bodies import read_body
from app.api.context import caller, catalog, warehouse
from app.api.declarations import IDEMPOTENCY_KEY
from app.api.management.operations import ManagementOperations
from app.api.needs import needs
from app.api.schemas.management_namespaces import ProtectionRequestSchema, ProtectionSchema
from app.auth.privileges import Privilege
from app.catalog import protection
from app.catalog.kinds import TABLE, VIEW, Kind
from app.errors import NoSuchNamespaceException, NoSuchTableException, NoSuchViewException
from app.identifiers import Namespace, TableIdentifier

resource = ManagementOperations("protection")
_NAMESPACE = "/warehouses/{warehouse}/namespaces/{namespace}"


@resource.operation(
    "GET",
    f"{_NAMESPACE}/protection",
    "Tell whether a namespace is protected",
    answers={200: ProtectionSchema},
    fails=(NoSuchNamespaceException,),
    needs=needs(Privilege.READ_METADATA, on="namespace"),
)
def namespace_protection(namespace: Namespace) -> Response:
    return _answer(protection.namespace_protection(catalog(), warehouse(), namespace))


@resource.operation(
    "PUT",
    f"{_NAMESPACE}/protection",
    "Protect a namespace from being dropped, or no longer; what is in it has flags of its own",
    takes=(IDEMPOTENCY_KEY,),
    body=ProtectionRequestSchema,
    answers={200: ProtectionSchema},
    fails=(NoSuchNamespaceException,),
    needs=needs(Privilege.MANAGE_PROPERTIES, on="namespace"),
)
def protect_namespace(namespace: Namespace) -> Response:
    wanted = read_body(ProtectionRequestSchema)["protected"]
    return _answer(protection.protect_namespace(catalog(), caller(), warehouse(), namespace, wanted))


@resource.operation(
    "GET",
    f"{_NAMESPACE}/tables/{{table}}/protection",
    "Tell whether a table is protected",
    answers={200: ProtectionSchema},
    fails=(NoSuchTableException,),
    needs=needs(Privilege.READ_METADATA, on="table"),
)
def table_protection(table: TableIdentifier) -> Response:
    return _answer(protection.tabular_protection(catalog(), warehouse(), TABLE, table))


@resource.operation(
    "PUT",
    f"{_NAMESPACE}/tables/{{table}}/protection",
    "Protect a table from being dropped, or no longer",
    takes=(IDEMPOTENCY_KEY,),
    body=ProtectionRequestSchema,
    answers={200: ProtectionSchema},
    fails=(NoSuchTableException,),
    needs=needs(Privilege.MANAGE_PROPERTIES, on="table"),
)
def protect_table(table: TableIdentifier) -> Response:
    return _protect(TABLE, table)


@resource.operation(
    "GET",
    f"{_NAMESPACE}/views/{{view}}/protection",
    "Tell whether a view is protected",
    answers={200: ProtectionSchema},
    fails=(NoSuchViewException,),
    needs=needs(Privilege.READ_METADATA, on="view"),
)
def view_protection(view: TableIdentifier) -> Response:
    return _answer(protection.tabular_protection(catalog(), warehouse(), VIEW, view))


@resource.operation(
    "PUT",
    f"{_NAMESPACE}/views/{{view}}/protection",
    "Protect a view from being dropped, or no longer",
    takes=(IDEMPOTENCY_KEY,),
    body=ProtectionRequestSchema,
    answers={200: ProtectionSchema},
    fails=(NoSuchViewException,),
    needs=needs(Privilege.MANAGE_PROPERTIES, on="view"),
)
def protect_view(view: TableIdentifier) -> Response:
    return _protect(VIEW, view)


def _protect(kind: Kind, identifier: TableIdentifier) -> Response:
    wanted = read_body(ProtectionRequestSchema)["protected"]
    return _answer(protection.protect_tabular(catalog(), caller(), warehouse(), kind, identifier, wanted))


def _answer(protected: bool) -> Response:
    return json_answer({"protected": protected})
