"""The comparison with the official document: what it notices, and that its lists can neither lack nor keep an entry."""

import copy
import re
from pathlib import Path
from typing import Any

import pytest

from tests.conformance import official
from tests.conformance.differences import Reasoned, judge
from tests.conformance.matrix import fill, render
from tests.conformance.structure import differences
from tests.support.contract import Contract
from tests.support.exchanges import Exchange, Message

NAME = "POST /v1/{prefix}/things"
SCHEMA = {
    "type": "object",
    "required": ["name"],
    "properties": {
        "name": {"type": "string"},
        "size": {"type": "integer", "format": "int64"},
        "kind": {"enum": ["a", "b"]},
        "parts": {"type": "array", "items": {"$ref": "#/components/schemas/Part"}},
    },
}
PARTS = [
    {"type": "object", "required": ["type"], "properties": {"type": {"const": name}, "x": {"type": "string"}}}
    for name in ("one", "two")
]


def document() -> dict[str, Any]:
    return {
        "openapi": "3.1.1",
        "paths": {
            "/v1/{prefix}/things": {
                "post": {
                    "parameters": [
                        {"name": "dry", "in": "query", "required": False, "schema": {"type": "boolean"}}
                    ],
                    "requestBody": {"content": {"application/json": {"schema": {"$ref": SCHEMAS + "Thing"}}}},
                    "responses": {
                        "200": {
                            "description": "",
                            "headers": {"ETag": {"schema": {"type": "string"}}},
                            "content": {"application/json": {"schema": {"$ref": SCHEMAS + "Thing"}}},
                        },
                        "404": {"description": ""},
                    },
                }
            }
        },
        "components": {
            "schemas": {"Thing": copy.deepcopy(SCHEMA), "Part": {"oneOf": copy.deepcopy(PARTS)}},
        },
    }


SCHEMAS = "#/components/schemas/"


def operation(made: dict[str, Any]) -> dict[str, Any]:
    return dict(made["paths"]["/v1/{prefix}/things"]["post"])


def thing(made: dict[str, Any]) -> Any:
    return made["components"]["schemas"]["Thing"]


CHANGES: dict[str, Any] = {
    f"{NAME}: the operation is missing": lambda made: made["paths"].clear(),
    f"{NAME}: parameter query dry is missing": lambda made: operation(made)["parameters"].clear(),
    f"{NAME}: status 404 is missing": lambda made: operation(made)["responses"].pop("404"),
    f"{NAME}: status 409 is added": lambda made: operation(made)["responses"].update({"409": {}}),
    f"{NAME} 200: header etag is missing": lambda made: operation(made)["responses"]["200"][
        "headers"
    ].clear(),
    "Thing: member size is missing": lambda made: thing(made)["properties"].pop("size"),
    "Thing: member name may be absent": lambda made: thing(made)["required"].clear(),
    "Thing: member size is required": lambda made: thing(made)["required"].append("size"),
    "Thing.kind: the values are a, not a or b": lambda made: thing(made)["properties"]["kind"]["enum"].pop(),
    "Thing.size: is string, not integer": lambda made: thing(made)["properties"]["size"].update(
        type="string"
    ),
    "Part: the choice of an object with type or x is missing": (
        lambda made: made["components"]["schemas"]["Part"]["oneOf"].pop()
    ),
}


def test_equal_documents_have_no_difference() -> None:
    assert differences(document(), document()) == []


@pytest.mark.parametrize("expected", CHANGES)
def test_difference(expected: str) -> None:
    own = document()
    CHANGES[expected](own)
    assert differences(document(), own) == [expected]


def test_an_answer_may_promise_more() -> None:
    own = document()
    answer = copy.deepcopy(thing(own))
    answer["required"].append("size")
    operation(own)["responses"]["200"]["content"]["application/json"]["schema"] = answer
    assert differences(document(), own) == []


def test_the_list_may_neither_lack_nor_keep_an_entry() -> None:
    verdict = judge(["x: a is missing", "y: b is added"], [Reasoned("x: *", ""), Reasoned("z: *", "")])
    assert verdict.unlisted == ["y: b is added"]
    assert verdict.stale == ["z: *"]


def test_every_status_needs_a_test_or_a_reason() -> None:
    reasons = [Reasoned("* 404", "never"), Reasoned("* 500", "never")]
    made = fill(document(), [(NAME, 200, "", "tests/contract/test_a.py::test_b[c]")], reasons, "")
    assert made.proved == {(NAME, "200"): "test_a.py::test_b"}
    assert made.excused == {(NAME, "404"): "never"}
    assert made.stale == ["* 500"]
    assert fill(document(), [], [], "").open == [(NAME, "200"), (NAME, "404")]


def test_the_page_keeps_a_test_that_still_proves_its_status() -> None:
    seen = [
        (NAME, status, "", f"tests/contract/test_{name}.py::test") for name in "zb" for status in (200, 404)
    ]
    page = render(document(), document(), fill(document(), seen[:2], [], ""), [])
    assert "| 200 |  | `test_z.py::test` |" in page
    assert render(document(), document(), fill(document(), seen, [], page), []) == page
    assert "test_z" not in render(document(), document(), fill(document(), seen[2:], [], page), [])


def test_without_the_official_document_it_is_said_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ICEBERG_REST_SPEC", str(tmp_path / "none.yaml"))
    with pytest.raises(official.Missing, match="fetch_spec"):
        official.find()


def test_every_test_that_the_page_names_exists() -> None:
    page = (official.ROOT / "docs" / "conformance.md").read_text()
    named = set(re.findall(r"`(test_\w+\.py)::(\w+)`", page))
    assert named
    for file, function in named:
        text = (official.ROOT / "tests" / "contract" / file).read_text()
        assert f"def {function}(" in text, f"{file}::{function} is gone: make conformance-page"


def exchange(body: bytes, answer: bytes, status: int = 200) -> Exchange:
    sent = Message({"Content-Type": "application/json"}, body)  # type: ignore[arg-type]
    got = Message({"Content-Type": "application/json"}, answer)  # type: ignore[arg-type]
    return Exchange("POST", "/v1/things", sent, status, got)


@pytest.mark.parametrize(
    ("body", "answer", "status"),
    [
        (b'{"name": 1}', b'{"name": "a"}', 200),
        (b'{"name": "a"}', b'{"name": null}', 200),
        (b'{"name": "a", "size": 9223372036854775808}', b'{"name": "a"}', 200),
        (b'{"name": "a", "parts": [{"type": "three"}]}', b'{"name": "a"}', 200),
        (b'{"name": "a"}', b"{}", 200),
        (b'{"name": "a"}', b'{"name": "a"}', 418),
    ],
)
def test_exchange_that_breaks_the_contract(body: bytes, answer: bytes, status: int) -> None:
    judge = Contract(document())
    broken = exchange(body, answer, status)
    assert judge.faults_of_request(broken) + judge.faults_of_answer(broken)


def test_exchange_that_keeps_the_contract() -> None:
    judge = Contract(document())
    kept = exchange(b'{"name": "a", "size": 1, "parts": [{"type": "two"}]}', b'{"name": "a"}')
    assert judge.faults_of_request(kept) + judge.faults_of_answer(kept) == []


def test_formats_that_nobody_knows_are_an_error() -> None:
    made = document()
    thing(made)["properties"]["name"]["format"] = "coffee"
    with pytest.raises(Exception, match="coffee"):
        Contract(made).faults_of_request(exchange(b'{"name": "a"}', b"{}"))
