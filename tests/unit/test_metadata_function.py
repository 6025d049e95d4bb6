"""Metadata of functions: what is valid, and what the error names."""

import copy
import re
from collections.abc import Callable
from typing import Any

import pytest

from app.errors import ServiceError
from app.metadata.function import read_function_metadata
from tests.factories import function_metadata

Change = Callable[[dict[str, Any]], None]
NESTED = {
    "type": "struct",
    "fields": [
        {"name": "a", "type": {"type": "list", "element": "decimal(9,2)", "element-id": 5}},
        {"name": "b", "type": {"type": "map", "key": "string", "value": "variant"}},
    ],
}


def at(*path: Any, value: Any) -> Change:
    """A change of the member at ``path``; None deletes it."""

    def change(metadata: dict[str, Any]) -> None:
        place: Any = metadata
        for key in path[:-1]:
            place = place[key]
        if value is None:
            del place[path[-1]]
        else:
            place[path[-1]] = value

    return change


FIRST = ("definitions", 0)
VERSION = (*FIRST, "versions", 0)
GOOD = [
    at("definitions", value=[]),
    at("properties", value={"a": "b"}),
    at("unknown", value=[1]),
    at(*FIRST, "return-type", value=NESTED),
    at(*FIRST, "parameters", value=[]),
    at(*FIRST, "parameters", 0, "type", value="geometry(OGC:CRS84)"),
    at(*VERSION, "timestamp-ms", value=2**63 - 1),
]


@pytest.mark.parametrize("change", GOOD)
def test_valid(change: Change) -> None:
    metadata = function_metadata()
    change(metadata)
    before = copy.deepcopy(metadata)
    assert read_function_metadata(metadata) == before


BAD: list[tuple[Change, str]] = [
    (at("function-uuid", value=None), "metadata.function-uuid: missing"),
    (at("function-uuid", value="x"), "metadata.function-uuid: expected a UUID, got 'x'"),
    (at("format-version", value=2), "metadata.format-version: expected 1, got 2"),
    (at("format-version", value="1"), "metadata.format-version: expected an integer, got a string"),
    (at("definitions", value=None), "metadata.definitions: missing"),
    (at("definitions", value={}), "metadata.definitions: expected an array, got an object"),
    (at("definition-log", value=None), "metadata.definition-log: missing"),
    (at("properties", value={"a": 1}), "metadata.properties.a: expected a string, got an integer"),
    (at("secure", value="no"), "metadata.secure: expected a boolean, got a string"),
    (at("location", value=1), "metadata.location: expected a string, got an integer"),
    (at(*FIRST, "definition-id", value=None), "metadata.definitions[0].definition-id: missing"),
    (
        at(*FIRST, "definition-id", value="int, int"),
        "metadata.definitions[0].definition-id: must not contain spaces, got 'int, int'",
    ),
    (at(*FIRST, "parameters", value=None), "metadata.definitions[0].parameters: missing"),
    (at(*FIRST, "parameters", 0, "name", value=None), "metadata.definitions[0].parameters[0].name: missing"),
    (
        at(*FIRST, "parameters", 0, "type", value="integer"),
        "metadata.definitions[0].parameters[0].type: unknown type 'integer'",
    ),
    (
        at(*FIRST, "parameters", 0, "type", value="decimal(9, 2)"),
        "metadata.definitions[0].parameters[0].type: a type contains no spaces and no quotes, got 'decimal(9, 2)'",
    ),
    (
        at(*FIRST, "parameters", 0, "type", value=5),
        "metadata.definitions[0].parameters[0].type: expected a type as a string or an object, got an integer",
    ),
    (
        at(*FIRST, "return-type", value={"type": "set"}),
        "metadata.definitions[0].return-type.type: expected list or map or struct, got 'set'",
    ),
    (
        at(*FIRST, "return-type", value={"type": "list"}),
        "metadata.definitions[0].return-type.element: missing",
    ),
    (
        at(*FIRST, "return-type", value={"type": "map", "key": "int"}),
        "metadata.definitions[0].return-type.value: missing",
    ),
    (
        at(*FIRST, "return-type", value={"type": "struct", "fields": [{"name": "a"}]}),
        "metadata.definitions[0].return-type.fields[0].type: missing",
    ),
    (
        at(*FIRST, "function-type", value="macro"),
        "metadata.definitions[0].function-type: expected udf or udtf, got 'macro'",
    ),
    (
        at(*FIRST, "function-type", value="udtf"),
        "metadata.definitions[0].return-type: a function of type udtf returns a struct",
    ),
    (
        at(*FIRST, "current-version-id", value=9),
        "metadata.definitions[0].current-version-id: there is no version 9",
    ),
    (at(*VERSION, "version-id", value=None), "metadata.definitions[0].versions[0].version-id: missing"),
    (
        at(*VERSION, "representations", value=[]),
        "metadata.definitions[0].versions[0].representations: at least one is required",
    ),
    (
        at(*VERSION, "representations", 0, "type", value="python"),
        "metadata.definitions[0].versions[0].representations[0].type: expected sql, got 'python'",
    ),
    (
        at(*VERSION, "representations", 0, "sql", value=None),
        "metadata.definitions[0].versions[0].representations[0].sql: missing",
    ),
    (
        at(*VERSION, "on-null-input", value="fail"),
        "metadata.definitions[0].versions[0].on-null-input: expected return-null or call, got 'fail'",
    ),
    (
        at("definition-log", 0, "definition-versions", 0, "version-id", value=None),
        "metadata.definition-log[0].definition-versions[0].version-id: missing",
    ),
]


@pytest.mark.parametrize(("change", "message"), BAD, ids=[message for _, message in BAD])
def test_invalid(change: Change, message: str) -> None:
    metadata = function_metadata()
    change(metadata)
    with pytest.raises(ServiceError, match=f"^{re.escape(message)}$") as caught:
        read_function_metadata(metadata)
    assert caught.value.code == 400


@pytest.mark.parametrize("member", ["definition-id", "specific-name"])
def test_definitions_differ(member: str) -> None:
    metadata = function_metadata()
    one = metadata["definitions"][0]
    other = {**one, "definition-id": "string", "specific-name": "other", member: one[member]}
    metadata["definitions"].append(other)
    message = f"metadata.definitions: the {member} {one[member]!r} occurs more than once"
    with pytest.raises(ServiceError, match=re.escape(message)):
        read_function_metadata(metadata)


def test_version_ids_differ() -> None:
    metadata = function_metadata()
    versions = metadata["definitions"][0]["versions"]
    versions.append(dict(versions[0]))
    with pytest.raises(ServiceError, match="the version-id 1 occurs more than once"):
        read_function_metadata(metadata)


def test_types_nest_only_so_deep() -> None:
    kind: Any = "int"
    for _ in range(65):
        kind = {"type": "list", "element": kind}
    metadata = function_metadata()
    metadata["definitions"][0]["return-type"] = kind
    with pytest.raises(ServiceError, match="types are nested deeper than 64 levels"):
        read_function_metadata(metadata)
