"""What changes touch."""

import ast
from pathlib import Path

import pytest

from app.changes.effects import _EFFECTS, Reads, touched
from app.db.snapshots import ChangeRow

APP = Path(__file__).resolve().parents[2] / "app"
# Touch everything that is remembered.
EVERYTHING = {
    "namespace.renamed",
    "warehouse.created",
    "warehouse.updated",
    "warehouse.renamed",
    "warehouse.activated",
    "warehouse.deactivated",
    "warehouse.deleted",
    "principal.created",
    "grant.created",
}


def change(action: str, name: str | None = None, details: dict | None = None) -> ChangeRow:
    return ChangeRow(action, 1, 7, ("a", "b"), name, details or {})


def reads(*notes: tuple) -> Reads:
    made = Reads()
    for method, *arguments in notes:
        getattr(made, method)(*arguments)
    return made


TABLE = ("read", "tabular", 7)
NAMESPACE = ("read", "namespace", 7)
MISSING = ("missed", 1, ["a", "b"], "t")
NO_NAMESPACE = ("missed", 1, ["a", "b"])
TABLES = ("listed", "table", 1, ["a", "b"])
VIEWS = ("listed", "view", 1, ["a", "b"])
CHILDREN = ("listed", "namespace", 1, ["a"])
JUDGED = ("judged", 1)
ELSEWHERE = [
    ("read", "tabular", 8),
    ("read", "namespace", 8),
    ("missed", 1, ["a", "b"], "u"),
    ("missed", 1, ["a"], "t"),
    ("missed", 2, ["a", "b"], "t"),
    ("listed", "table", 1, ["a"]),
    ("listed", "table", 2, ["a", "b"]),
    ("listed", "namespace", 1, []),
    ("judged", 2),
]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (change("table.committed", "t"), [TABLE]),
        (change("view.replaced", "t"), [TABLE]),
        (change("table.protected", "t"), [TABLE]),
        (change("table.created", "t"), [MISSING, TABLES, JUDGED]),
        (change("view.created", "t"), [MISSING, VIEWS, JUDGED]),
        (change("table.undropped", "t"), [MISSING, TABLES, JUDGED]),
        (change("table.dropped", "t"), [TABLE, TABLES, JUDGED]),
        (change("view.dropped", "t"), [TABLE, VIEWS, JUDGED]),
        (
            change("table.renamed", "old", {"namespace": ["a", "b"], "name": "t"}),
            [TABLE, MISSING, TABLES, JUDGED],
        ),
        (change("namespace.updated"), [NAMESPACE]),
        (change("namespace.created"), [NO_NAMESPACE, CHILDREN, JUDGED]),
        (change("namespace.dropped"), [NAMESPACE, TABLES, VIEWS, CHILDREN, JUDGED]),
        (change("function.created", "f"), [JUDGED]),
        (change("table.purged", "t"), []),
    ],
    ids=lambda value: value.action if isinstance(value, ChangeRow) else "",
)
def test_what_a_change_touches(row: ChangeRow, expected: list[tuple]) -> None:
    tags = touched([row])
    assert tags is not None
    own = [TABLE, NAMESPACE, MISSING, NO_NAMESPACE, TABLES, VIEWS, CHILDREN, JUDGED]
    assert [note for note in own if not tags.isdisjoint(reads(note).tags)] == sorted(expected, key=own.index)
    assert [note for note in ELSEWHERE if not tags.isdisjoint(reads(note).tags)] == []


def test_a_table_that_goes_elsewhere_is_missed_in_neither_place() -> None:
    tags = touched([change("table.renamed", "t", {"namespace": ["c"], "name": "u"})])
    assert tags is not None
    for note in (("missed", 1, ["c"], "u"), ("listed", "table", 1, ["c"]), TABLES, TABLE):
        assert not tags.isdisjoint(reads(note).tags)


@pytest.mark.parametrize("action", [*sorted(EVERYTHING), "something.else"])
def test_what_touches_everything(action: str) -> None:
    assert touched([change("table.committed", "t"), change(action)]) is None


def test_every_action_that_the_program_records_is_known() -> None:
    """Actions are written as texts; one with a part put in is matched by what is around it."""
    texts = {
        node.value
        for path in (APP / "catalog").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    plain = {
        text for text in texts if text.startswith(("table.", "view.", "namespace.", "function.", "job."))
    }
    assert {text for text in plain if " " not in text} <= _EFFECTS.keys() | EVERYTHING
    verbs = {text[1:] for text in texts if text.startswith(".") and text[1:].isalpha()}
    made = {f"{kind}.{verb}" for kind in ("table", "view") for verb in verbs}
    assert {action for action in made if action.endswith(("ed",))} <= _EFFECTS.keys() | EVERYTHING
