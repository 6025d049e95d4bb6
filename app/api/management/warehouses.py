"""Warehouse operations."""

from typing import Any

from app.api.answers import Response, json_answer, no_content
from app.api.authorization import seen_warehouses
from app.api.bodies import read_body
from app.api.context import caller, catalog, services
from app.api.context import warehouse as realm
from app.api.declarations import FORCE, IDEMPOTENCY_KEY, PAGES
from app.api.management.operations import ManagementOperations
from app.api.needs import ADMINISTRATION, asks, needs
from app.api.pages import requested_page
from app.api.parameters import boolean_parameter
from app.api.schemas.management_warehouses import (
    CreateWarehouseRequestSchema,
    ListWarehousesResponseSchema,
    UpdateWarehouseRequestSchema,
    WarehouseSchema,
)
from app.auth.privileges import Privilege
from app.catalog import warehouse_management as management
from app.catalog.warehouse_requests import (
    NewWarehouse,
    RequestedCredentials,
    RequestedProfile,
    RequestedSts,
    SoftDelete,
    WarehouseChanges,
)
from app.errors import (
    AlreadyExistsException,
    CommitFailedException,
    ConflictException,
    IllegalArgumentException,
)

resource = ManagementOperations("warehouses")


@resource.operation(
    "GET",
    "/warehouses",
    "List the warehouses",
    takes=PAGES,
    answers={200: ListWarehousesResponseSchema},
    needs=asks("to be authenticated; what may not be seen is left out"),
)
def list_warehouses() -> Response:
    page = requested_page("warehouses")
    found = management.list_warehouses(catalog(), page.after, page.limit, seen_warehouses())
    warehouses, token = page.cut(list(found), lambda warehouse: warehouse.name)
    shown = [management.describe(catalog(), warehouse) for warehouse in warehouses]
    return json_answer({"warehouses": shown, "next-page-token": token})


@resource.operation(
    "POST",
    "/warehouses",
    "Create a warehouse; its storage is tried by writing, reading and deleting a file",
    takes=(IDEMPOTENCY_KEY,),
    body=CreateWarehouseRequestSchema,
    answers={201: WarehouseSchema},
    fails=(IllegalArgumentException, AlreadyExistsException),
    needs=ADMINISTRATION,
)
def create_warehouse() -> Response:
    body = read_body(CreateWarehouseRequestSchema)
    new = NewWarehouse(
        name=body["name"],
        profile=_profile(body["storage_profile"]),
        protected=body["protected"],
        soft_delete=_soft_delete(body["soft_delete"]),
    )
    return json_answer(management.create_warehouse(catalog(), caller(), realm(), new), 201)


@resource.operation(
    "GET",
    "/warehouses/{warehouse}",
    "Load a warehouse",
    answers={200: WarehouseSchema},
    needs=needs(Privilege.READ_METADATA, on="warehouse"),
)
def load_warehouse(warehouse: str) -> Response:
    found = management.load_warehouse(catalog(), warehouse)
    realm().names.confirm("warehouse", warehouse, found.id)
    return json_answer(management.describe(catalog(), found))


@resource.operation(
    "PATCH",
    "/warehouses/{warehouse}",
    "Change a warehouse: name, activity, protection, soft delete, storage",
    takes=(IDEMPOTENCY_KEY,),
    body=UpdateWarehouseRequestSchema,
    answers={200: WarehouseSchema},
    fails=(
        IllegalArgumentException,
        AlreadyExistsException,
        ConflictException,
        CommitFailedException,
    ),
    needs=needs(Privilege.ADMINISTER, on="warehouse"),
)
def update_warehouse(warehouse: str) -> Response:
    body = read_body(UpdateWarehouseRequestSchema)
    changes = WarehouseChanges(
        name=body["name"],
        active=body["active"],
        protected=body["protected"],
        soft_delete=_soft_delete(body["soft_delete"]),
        profile=_profile(body["storage_profile"]) if body["storage_profile"] else None,
    )
    changed = management.update_warehouse(catalog(), caller(), realm(), warehouse, changes)
    services().warehouses.forget()
    return json_answer(changed)


@resource.operation(
    "DELETE",
    "/warehouses/{warehouse}",
    "Delete an empty warehouse",
    takes=(FORCE, IDEMPOTENCY_KEY),
    fails=(IllegalArgumentException, ConflictException),
    needs=needs(Privilege.ADMINISTER, on="warehouse"),
)
def delete_warehouse(warehouse: str) -> Response:
    force = boolean_parameter("force")
    management.delete_warehouse(catalog(), caller(), realm(), warehouse, force=force)
    services().warehouses.forget()
    return no_content()


def _profile(member: dict[str, Any]) -> RequestedProfile:
    given = member["credentials"]
    credentials = None if given is None else RequestedCredentials(**given)
    sts = None if member["sts"] is None else RequestedSts(**member["sts"])
    return RequestedProfile(**{**member, "credentials": credentials, "sts": sts})


def _soft_delete(member: dict[str, Any] | None) -> SoftDelete | None:
    return None if member is None else SoftDelete(**member)
