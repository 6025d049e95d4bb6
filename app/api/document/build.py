"""Puts the document together."""

import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from apispec import APISpec

from app.api.declarations import HEADERS, Answer, Body, Declaration, Parameter
from app.api.document.failures import responses_of_failures
from app.api.document.links import links_of
from app.api.document.notation import JsonObject, component, ref
from app.api.document.schemas import schema_plugin
from app.api.needs import describe
from app.observability.state import build

FOLDER = Path(__file__).parent / "components"
_SEGMENT = re.compile(r"\{([a-z-]+)\}")
_PATH_TEXTS = {
    "prefix": "The prefix of the warehouse, as `/v1/config` tells it. `/v1/namespaces` and so on, without this "
    "segment, mean the default warehouse.",
    "namespace": "A namespace: its levels, each percent-encoded, separated by `%1F`.",
    "table": "The name of a table, percent-encoded.",
    "view": "The name of a view, percent-encoded.",
    "function": "The name of a function, percent-encoded.",
    "plan-id": "The id of a planned scan.",
    "warehouse": "The name of a warehouse.",
    "principal": "The name of a principal, percent-encoded.",
    "role": "The name of a role, percent-encoded.",
    "member": "The name of a member, percent-encoded.",
    "id": "A number that the server gave out.",
}
_DESCRIPTION = (
    "Bingsan is a catalog of Apache Iceberg tables and views. Below `/v1` it speaks the Iceberg REST catalog protocol; "
    "`/management/v1` is for what that protocol has no routes for. Every answer has the header `X-Request-ID`; every "
    "error is a JSON object with one member `error`."
)


def build_document(tagged: Mapping[str, Mapping[str, Declaration]]) -> JsonObject:
    """Return the OpenAPI 3.1 document.

    :param tagged: for each tag the declarations of its operations by method and path, ``GET /v1/config``
    """
    spec = APISpec(
        title="Bingsan",
        version=build().version,
        openapi_version="3.1.1",
        info={"description": _DESCRIPTION, "license": {"name": "Apache 2.0", "identifier": "Apache-2.0"}},
        servers=[{"url": "/"}],
        tags=[{"name": tag} for tag in tagged],
        plugins=[schema_plugin()],
    )
    for name, schema in hand_written().items():
        spec.components.schema(name, schema)
    for name, header in HEADERS.items():
        spec.components.header(name, header)
    for parameter in _parameters(tagged.values()):
        spec.components.parameter(_key(parameter), parameter.where, _parameter(parameter))
    ids = {one.name: _camel(one.name) for declarations in tagged.values() for one in declarations.values()}
    for tag, declarations in tagged.items():
        for endpoint, declaration in declarations.items():
            method, path = endpoint.split(" ")
            operation = _operation(tag, method, path, declaration, spec)
            if links := links_of(declaration.name, ids):
                operation["responses"]["200"]["links"] = links
            spec.path(path=path, operations={method.lower(): operation}, parameters=_of_path(path))
    return spec.to_dict()


@cache
def hand_written() -> dict[str, JsonObject]:
    """Return the components that are written in ``components/*.yaml``."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    written: JsonObject = {}
    for path in sorted(FOLDER.glob("*.yaml")):
        written |= yaml.load(path.read_text("utf-8"), loader)  # noqa: S506 - a safe loader, in C
    return {name: component(text, written) for name, text in written.items()}


def _parameters(groups: Iterable[Mapping[str, Declaration]]) -> list[Parameter]:
    found = {
        _key(parameter): parameter
        for declarations in groups
        for declaration in declarations.values()
        for parameter in declaration.takes
    }
    return list(found.values())


def _key(parameter: Parameter) -> str:
    return parameter.name


def _parameter(parameter: Parameter) -> JsonObject:
    return {
        "name": parameter.name,
        "description": parameter.text,
        "schema": parameter.schema,
        **parameter.style,
    }


def _of_path(path: str) -> list[JsonObject]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "description": _PATH_TEXTS[name],
            "schema": _segment(name),
        }
        for name in _SEGMENT.findall(path)
    ]


def _segment(name: str) -> JsonObject:
    return (
        {"type": "integer", "format": "int64", "minimum": 0}
        if name == "id"
        else {"type": "string", "minLength": 1}
    )


def _operation(tag: str, method: str, path: str, declared: Declaration, spec: APISpec) -> JsonObject:
    operation: JsonObject = {"tags": [tag], "summary": declared.summary, "operationId": _camel(declared.name)}
    if declared.needs is not None:
        operation["description"] = describe(declared.needs)
    if declared.takes:
        operation["parameters"] = [_key(parameter) for parameter in declared.takes]
    if declared.body is not None:
        operation["requestBody"] = {
            "required": not declared.body_optional,
            "content": {kind: {"schema": _body(declared.body)} for kind in declared.body_types},
        }
    answers = {str(status): _answer(status, answer) for status, answer in declared.answers.items()}
    failures = responses_of_failures(method, path, declared, spec.components)
    operation["responses"] = dict(sorted({**answers, **failures}.items()))
    return operation


def _camel(name: str) -> str:
    head, *tail = name.split("_")
    return head + "".join(word.capitalize() for word in tail)


def _answer(status: int, answer: Answer) -> JsonObject:
    made: JsonObject = {
        "description": _MEANINGS.get(status, "Done."),
        "headers": {
            name: {"$ref": f"#/components/headers/{name}"} for name in ("X-Request-ID", *answer.headers)
        },
    }
    if answer.body is not None:
        made["content"] = {kind: {"schema": _body(answer.body)} for kind in answer.media_types}
    return made


_MEANINGS = {
    200: "The answer.",
    202: "Accepted; a job does the rest.",
    204: "Done; there is nothing to say.",
    304: "The client has the current representation.",
}


def _body(body: Body) -> Any:
    # A marshmallow schema is resolved by apispec's plugin.
    return ref(body) if isinstance(body, str) else body
