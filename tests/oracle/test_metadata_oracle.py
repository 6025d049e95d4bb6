"""Our metadata rules against Iceberg's own library, and our documents read by it and by PyIceberg."""

from collections import Counter
from collections.abc import Iterable
from functools import cache
from typing import Any

import msgspec
import pytest
from pyiceberg.table.metadata import TableMetadataUtil

from app.metadata.table import parse_table_metadata
from app.metadata.updates import ACTIONS
from app.metadata.view import parse_view_metadata
from app.metadata.view_updates import VIEW_ACTIONS
from tests.oracle.cases import (
    Case,
    create_cases,
    new_table_cases,
    requirement_cases,
    table_cases,
    view_cases,
)
from tests.oracle.differences import excuse, normalised, with_our_clock
from tests.oracle.oracle import ask

SEED = 20_250_801
TABLE_LISTS = 2_000


@cache
def cases() -> dict[str, list[Case]]:
    tables = table_cases(SEED, TABLE_LISTS)
    return {
        "update": tables,
        "new": list(new_table_cases(SEED + 1, 200)),
        "create": list(create_cases(SEED + 2, 200)),
        "requirement": list(requirement_cases(SEED + 3, tables[:500])),
        "view": view_cases(SEED + 4, 800),
    }


@cache
def answers() -> dict[str, list[dict[str, Any]]]:
    """All answers of Java, from one process; ``read`` has those on our own documents."""
    asked = {name: [case.question for case in group] for name, group in cases().items()}
    asked["read"] = reading_questions()
    everything = iter(ask([question for group in asked.values() for question in group]))
    return {name: [next(everything) for _ in group] for name, group in asked.items()}


def reading_questions() -> list[dict[str, Any]]:
    tables, views = documents("update", "new", "create"), documents("view")
    questions = [{"operation": "parse-table", "base": document} for document in tables]
    return questions + [{"operation": "parse-view", "base": document} for document in views]


def pairs(name: str) -> Iterable[tuple[Case, dict[str, Any]]]:
    return zip(cases()[name], answers()[name], strict=True)


@pytest.mark.parametrize("name", ["update", "new", "create", "view"])
def test_documents_are_equal(name: str) -> None:
    compared = 0
    for case, answer in pairs(name):
        if case.document is None or "document" not in answer:
            continue
        java = with_our_clock(answer["document"], case.document, case.base)
        if case.base is None:
            java["table-uuid"] = case.document["table-uuid"]
        assert normalised(case.document) == normalised(java), case.updates
        compared += 1
    assert compared > 0.7 * len(cases()[name])


@pytest.mark.parametrize("name", ["update", "new", "create", "requirement", "view"])
def test_verdicts_agree(name: str) -> None:
    for case, answer in pairs(name):
        if excuse(case.error, answer, case.updates):
            continue
        ours = case.error.message if case.error else "accepted"
        assert (case.error is None) == ("error" not in answer), f"{ours} / {answer} / {case.question}"
        if case.error is not None:
            conflict = answer["error"] in ("RetryableValidationException", "CommitFailedException")
            assert (case.error.code == 409) == conflict, f"{ours} / {answer}"


@pytest.mark.parametrize("name", ["update", "requirement", "view"])
def test_each_side_accepts_and_refuses(name: str) -> None:
    verdicts = Counter("error" in answer for answer in answers()[name])
    assert min(verdicts[True], verdicts[False]) >= 0.08 * len(cases()[name]), verdicts


def test_every_action_is_asked_often() -> None:
    for name, actions, least in (("update", ACTIONS, 100), ("view", VIEW_ACTIONS, 100)):
        counts = Counter(
            update["action"].lower()
            for case in cases()[name]
            if case.error is None
            for update in case.updates
        )
        assert {action: counts[action] for action in actions if counts[action] < least} == {}


def documents(*names: str) -> list[dict[str, Any]]:
    return [case.document for name in names for case in cases()[name] if case.document]


def test_our_documents_are_read_by_java() -> None:
    for question, answer in zip(reading_questions(), answers()["read"], strict=True):
        assert "document" in answer, f"{answer} / {question}"
        assert normalised(answer["document"]) == normalised(question["base"])


def test_our_documents_are_read_by_pyiceberg() -> None:
    for document in documents("update", "new", "create"):
        # PyIceberg 0.12 does not know the type variant
        text = msgspec.json.encode(document).replace(b'"variant"', b'"binary"')
        read = TableMetadataUtil.parse_raw(text.decode())
        assert str(read.table_uuid) == document["table-uuid"]
        assert len(read.snapshots) == len(document["snapshots"])


def test_our_documents_are_read_by_us() -> None:
    for document in documents("update", "new", "create"):
        assert parse_table_metadata(document) == document
    for document in documents("view"):
        assert parse_view_metadata(document) == document
