"""Why somebody may do something, or may not."""

from typing import Any

from app.api.answers import Response, json_answer
from app.api.authentication import principal
from app.api.authorization import authorize, sees
from app.api.context import catalog, services
from app.api.declarations import OF_PRINCIPAL, Parameter
from app.api.management.grants import MISSING, ON_OBJECT
from app.api.management.objects import enter_place_of, missing_object
from app.api.management.operations import ManagementOperations
from app.api.needs import SECURITY, asks
from app.api.parameters import text_parameter
from app.api.schemas.management_grants import ExplanationSchema
from app.auth.objects import ObjectName
from app.auth.privileges import Privilege
from app.catalog import explanations
from app.catalog.explanations import Question
from app.catalog.principals import load_principal
from app.errors import BadRequestException

resource = ManagementOperations("explain")
ACTION = Parameter(
    "action",
    "query",
    "A privilege, or the `operationId` of an operation of the Iceberg API whose privilege is told beside it.",
)
ERROR_ID = Parameter("error-id", "query", "The id at the end of the message of a 403; instead of the others.")


@resource.operation(
    "GET",
    "/explain",
    "Tell why a principal may do something with an object, or what is missing",
    takes=(OF_PRINCIPAL, ACTION, ON_OBJECT, ERROR_ID),
    answers={200: ExplanationSchema},
    fails=MISSING,
    needs=asks("`administer` on the server, or to ask about oneself"),
)
def explain() -> Response:
    error_id = text_parameter("error-id")
    if error_id is not None:
        return _explain_denial(error_id)
    name, action, text = (text_parameter(each) for each in ("principal", "action", "object"))
    if not (name and action and text):
        raise BadRequestException("Invalid query: expected principal, action and object, or error-id")
    _check_asker(name)
    target = ObjectName.parse(text, "object")
    return json_answer(_explain(name, _privileges(action, target), target))


def _explain_denial(error_id: str) -> Response:
    """What was recorded, and what holds now."""
    authorize(SECURITY, {})
    row = explanations.find_denial(catalog(), error_id)
    denial = explanations.describe_denial(row)
    known = {"denial": denial, "principal": row.principal, "message": row.message}
    if row.privilege is None:
        return json_answer(known)
    target = explanations.denied_object(row)
    try:
        return json_answer({**known, **_explain(row.principal, [Privilege(row.privilege)], target)})
    except MISSING:
        return json_answer(known)  # the object, or the principal, is gone


def _explain(name: str, privileges: list[Privilege], target: ObjectName) -> dict[str, Any]:
    who = load_principal(catalog(), name)
    enter_place_of(target)
    found = None if target.warehouse is None else services().warehouses.named(target.warehouse)
    question = Question(who, privileges, target, found)
    standpoint = explanations.stand(catalog(), services().policy, question)
    # Who asks about itself learns nothing of what it may not see.
    if not standpoint.is_there or not (standpoint.privileges or sees(target)):
        raise missing_object(target)
    return explanations.explain(catalog(), services().policy, question, standpoint)


def _check_asker(name: str) -> None:
    if name != principal().name:
        authorize(SECURITY, {})


def _privileges(action: str, target: ObjectName) -> list[Privilege]:
    if action in set(Privilege):
        return [Privilege(action)]
    from app.api.resources import RESOURCES

    declared = {
        "".join([head, *map(str.capitalize, tail)]): each.needs
        for resource in RESOURCES
        for each in resource.declarations.values()
        for head, *tail in [each.name.split("_")]
    }
    need = declared.get(action)
    if need is None or not need.privileges:
        known = ", ".join(
            [*Privilege, *sorted(name for name, one in declared.items() if one and one.privileges)]
        )
        raise BadRequestException(f"Invalid action {action[:64]!r}: expected one of {known}")
    if need.on not in (target.kind, "function"):
        raise BadRequestException(f"Invalid object {target.address}: {action} is about a {need.on}")
    return list(need.privileges)
