"""The OpenAPI document: complete, valid, and in step with the routes."""

from collections.abc import Iterator
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from app.api.document.build import hand_written
from app.api.document.notation import PREFIX
from tests.support.own_document import application, own_document
from tests.support.schemas import Validators

WITHOUT_PREFIX = ("/v1/config", "/v1/oauth/", "/v1/api-keys")


def operations() -> dict[str, dict[str, Any]]:
    return {
        f"{method.upper()} {path}": operation
        for path, item in own_document()["paths"].items()
        for method, operation in item.items()
        if method != "parameters"
    }


def mounted() -> set[str]:
    """Return all routes as method and path."""
    return {
        route.replace("<", "{").replace(">", "}").replace("plan_id", "plan-id")
        for route in application().routes
        if not route.startswith("OPTIONS ")
    }


def declared_name(route: str) -> str:
    method, path = route.split(" ")
    if path == "/v1/{prefix}/config":
        return f"{method} /v1/config"
    if path.startswith("/v1/") and not path.startswith(("/v1/{prefix}", *WITHOUT_PREFIX)):
        return f"{method} /v1/{{prefix}}{path.removeprefix('/v1')}"
    return route


def test_valid_open_api_3_1() -> None:
    assert own_document()["openapi"].startswith("3.1.")
    assert [error.message for error in OpenAPIV31SpecValidator(own_document()).iter_errors()] == []


def test_every_route_is_declared_beside_it() -> None:
    """A route without a declaration: give its ``operation`` a summary, ``takes``, ``answers`` and ``fails``."""
    assets = {"GET /docs/{name}", "HEAD /docs/{name}"}
    routes = {declared_name(route) for route in mounted()} - assets
    own = set(operations())
    implied = {route for route in routes if route.startswith("HEAD ") and f"GET {route[5:]}" in own}
    assert routes - implied - own == set()
    assert own - routes == {"GET /docs/docs.css", "GET /docs/docs.js"}


def test_every_operation_says_how_it_ends() -> None:
    for name, operation in operations().items():
        statuses = operation["responses"]
        assert any(status.startswith(("2", "406", "400")) for status in statuses), name
        for response in statuses.values():
            assert described(response), name


def described(response: dict[str, Any]) -> bool:
    name = response.get("$ref", "").rpartition("/")[2]
    return bool(
        own_document()["components"]["responses"][name]["description"] if name else response["description"]
    )


def test_every_reference_leads_somewhere_and_every_component_is_used() -> None:
    references = {
        value for key, value in members(own_document()) if key == "$ref" or str(value).startswith(PREFIX)
    }
    for reference in references:
        at: Any = own_document()
        for key in reference.removeprefix("#/").split("/"):
            assert key in at, reference
            at = at[key]
    schemas = {reference.removeprefix(PREFIX) for reference in references if reference.startswith(PREFIX)}
    assert set(own_document()["components"]["schemas"]) - schemas == set()
    assert set(hand_written()) - schemas == set()


def members(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        yield from value.items()
        for item in value.values():
            yield from members(item)
    elif isinstance(value, list):
        for item in value:
            yield from members(item)


@pytest.mark.parametrize("name", sorted(own_document()["components"]["schemas"]))
def test_every_member_of_a_component_has_a_type(name: str) -> None:
    schema = own_document()["components"]["schemas"][name]
    says = {"type", "$ref", "enum", "const", "oneOf", "anyOf", "allOf", "description"}
    for member, kind in schema.get("properties", {}).items():
        assert says & set(kind), f"{name}.{member}: give the field a json_schema or name a component"


def test_every_schema_can_be_checked() -> None:
    """Unknown keywords would be ignored and unknown formats let anything pass: both are errors."""
    validators = Validators(own_document())
    for name in own_document()["components"]["schemas"]:
        assert validators.of({"$ref": PREFIX + name})


def test_operation_ids_and_summaries_are_unique() -> None:
    ids = [operation["operationId"] for operation in operations().values()]
    assert len(ids) == len(set(ids))
    assert all(operation["summary"] for operation in operations().values())
