"""Dropped tables and views that a warehouse holds."""

from typing import Any

from app.api.answers import Response, json_answer, no_content
from app.api.authorization import demand, demand_at_large, wanted
from app.api.bodies import read_body
from app.api.context import caller, catalog, warehouse
from app.api.declarations import IDEMPOTENCY_KEY, PAGES, Parameter
from app.api.management.operations import ManagementOperations
from app.api.names import name_of, namespace_of
from app.api.needs import CREATING, asks, needs
from app.api.pages import requested_page
from app.api.parameters import optional_boolean_parameter
from app.api.schemas.management_held import (
    ListDroppedResponseSchema,
    UndropRequestSchema,
    UndropResponseSchema,
)
from app.auth.privileges import Privilege
from app.catalog import held
from app.catalog.times import epoch_ms
from app.db import Row
from app.errors import (
    AlreadyExistsException,
    ConflictException,
    NoSuchNamespaceException,
    NotFoundException,
)

resource = ManagementOperations("held")
PURGE = Parameter(
    "purge",
    "query",
    "Whether the files of the table are deleted as well; absent, as it was asked for when it was dropped.",
    {"type": "boolean"},
)


@resource.operation(
    "GET",
    "/warehouses/{warehouse}/dropped",
    "List the tables and views that were dropped and are held",
    takes=PAGES,
    answers={200: ListDroppedResponseSchema},
    needs=needs(Privilege.DROP, on="warehouse"),
)
def list_dropped() -> Response:
    page = requested_page("dropped", warehouse().id)
    found = held.list_held(catalog(), warehouse(), page.after_id(default=0), page.limit)
    items, token = page.cut(list(found), lambda row: str(row.id))
    return json_answer({"dropped": list(map(_shown, items)), "next-page-token": token})


@resource.operation(
    "POST",
    "/warehouses/{warehouse}/dropped/{id}/undrop",
    "Bring a dropped table or view back, under its old name or another one",
    takes=(IDEMPOTENCY_KEY,),
    body=UndropRequestSchema,
    body_optional=True,
    answers={200: UndropResponseSchema},
    fails=(NotFoundException, NoSuchNamespaceException, AlreadyExistsException, ConflictException),
    needs=asks("`drop` on the warehouse and `create` on the namespace it comes back to"),
)
def undrop(id: int) -> Response:
    body = read_body(UndropRequestSchema, optional=True)
    namespace = None if body["namespace"] is None else namespace_of(body["namespace"])
    name = None if body["name"] is None else name_of(body["name"])
    demand_at_large(Privilege.DROP)
    destination = namespace or held.namespace_of_held(catalog(), warehouse(), id)
    if destination is not None:
        demand(wanted(CREATING, destination, may_be_missing=namespace is None))
    kind, identifier = held.undrop(catalog(), caller(), warehouse(), id, namespace, name)
    return json_answer({"kind": kind, "namespace": identifier.namespace, "name": identifier.name})


@resource.operation(
    "DELETE",
    "/warehouses/{warehouse}/dropped/{id}",
    "End the hold of a dropped table or view now",
    takes=(PURGE, IDEMPOTENCY_KEY),
    fails=(NotFoundException,),
    needs=needs(Privilege.DROP, on="warehouse"),
)
def expire(id: int) -> Response:
    held.expire(catalog(), caller(), warehouse(), id, optional_boolean_parameter("purge"))
    return no_content()


def _shown(row: Row) -> dict[str, Any]:
    return {
        "id": row.id,
        "kind": row.kind,
        "namespace": row.namespace,
        "name": row.name,
        "uuid": row.uuid,
        "location": row.location,
        "metadata-location": row.metadata_location,
        "protected": row.protected,
        "purge": row.purge,
        "dropped-by": row.dropped_by,
        "dropped-at-ms": epoch_ms(row.dropped_at),
        "expires-at-ms": epoch_ms(row.expires_at),
    }
