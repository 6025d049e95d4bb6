"""Objects that are named outside of the path."""

from typing import Any

from app.api.authorization import enter
from app.api.context import services
from app.api.names import name_of, namespace_of
from app.auth.objects import SERVER, ObjectName
from app.catalog.kinds import KINDS
from app.catalog.namespaces import no_such_namespace
from app.catalog.warehouses import no_such_warehouse
from app.errors import BadRequestException, ServiceError


def object_of(member: dict[str, Any], field: str = "object") -> ObjectName:
    """Return what the members ``warehouse``, ``namespace``, ``table`` and ``view`` name; without any the server.

    :raises BadRequestException: naming the member and the rule
    """
    given = {name: value for name, value in member.items() if value is not None}
    if not given:
        return SERVER
    if "warehouse" not in given:
        raise BadRequestException(
            f"Invalid {field}: expected a warehouse, or no member at all for the server"
        )
    place = ObjectName("warehouse", given["warehouse"])
    if "namespace" in given:
        levels = namespace_of(given["namespace"], f"{field}.namespace")
        place = ObjectName("namespace", given["warehouse"], levels)
    content = [kind for kind in ("table", "view") if kind in given]
    if len(content) > 1 or (content and not place.namespace):
        raise BadRequestException(f"Invalid {field}: expected table or view, and a namespace with it")
    if not content:
        return place
    return place._replace(kind=content[0], name=name_of(given[content[0]], f"{field}.{content[0]}"))


def enter_place_of(target: ObjectName) -> None:
    """Make the warehouse of an object that of the request.

    :raises NoSuchWarehouseException: when there is none, or nothing in it that the caller may see
    """
    if target.warehouse is not None:
        enter(services().warehouses.named(target.warehouse), target.warehouse)


def missing_object(target: ObjectName) -> ServiceError:
    """What a missing object gets."""
    if target.name is not None:
        return KINDS[target.kind].does_not_exist(target.identifier)
    return no_such_namespace(target.namespace) if target.namespace else no_such_warehouse(target.warehouse)
