"""Large documents are worked on beside the event loop, small ones without the detour."""

from collections import namedtuple
from collections.abc import Callable
from threading import get_native_id
from types import SimpleNamespace
from typing import Any

import pytest

from app.catalog.intents import LARGE, Base, Intent, _run
from app.catalog.kinds import TABLE
from app.errors import ValidationException
from app.identifiers import Namespace, TableIdentifier
from app.storage.executor import ThreadExecutor

IDENTIFIER = TableIdentifier(Namespace(["db"]), "t")
Row = namedtuple(
    "Row", "namespace_id namespace_location id kind location metadata_location document packed packs"
)


@pytest.fixture(scope="module")
def catalog() -> SimpleNamespace:
    return SimpleNamespace(cpu=ThreadExecutor("rules", 1, 10.0))


def base(size: int) -> Base:
    return Base(
        Row(1, "file:///w/db", 2, "table", "file:///w/db/t", "file:///w/db/t/m", "x" * size, None, True)
    )


def run(catalog: Any, produce: Callable[[Base], Any], asked: int, stored: int) -> Any:
    there = base(stored)
    return _run(catalog, Intent(IDENTIFIER, TABLE, produce, size=asked), there, lambda: produce(there))


def where(_: Base) -> dict[str, int]:
    return {"thread": get_native_id()}


@pytest.mark.parametrize(("asked", "stored", "beside"), [(0, 0, False), (LARGE, 0, True), (10, LARGE, True)])
def test_where_the_rules_run(catalog: SimpleNamespace, asked: int, stored: int, beside: bool) -> None:
    thread = run(catalog, where, asked, stored)["thread"]
    assert (thread != get_native_id()) is beside


def test_a_refusal_comes_back_from_the_thread(catalog: SimpleNamespace) -> None:
    def refuse(_: Base) -> dict[str, int]:
        raise ValidationException("no")

    with pytest.raises(ValidationException, match="no"):
        run(catalog, refuse, LARGE, 0)
