"""The judge of histories: true ones pass, and each kind of lie is found."""

import json
from collections.abc import Callable

import pytest

from tests.load.checks import Chain, check_rows, judge, read_documents
from tests.load.history import Birth, Commit, History, Outcome, Sight

DONE, REFUSED, UNKNOWN = Outcome.DONE, Outcome.REFUSED, Outcome.UNKNOWN


def document(*before: str, **properties: str) -> dict[str, object]:
    return {
        "properties": properties,
        "last-updated-ms": len(before),
        "metadata-log": [{"metadata-file": file} for file in before],
    }


def chains() -> dict[str, Chain]:
    """Table t: created, then a=1, then b=1 in both tables; table u: created, then b=1."""
    documents = [document(), document("t0", a="1"), document("t0", "t1", a="1", b="1")]
    return {
        "t": Chain("t", ["t0", "t1", "t2"], documents),
        "u": Chain("u", ["u0", "u1"], [document(), document("u0", b="1")]),
    }


def history() -> History:
    """A true one about these chains."""
    return History(
        "space",
        commits=[
            Commit(("t",), "a", 1, 10, 12, DONE, "t1"),
            Commit(("t", "u"), "b", 1, 20, 22, DONE),
        ],
        births=[Birth("t", False, 1, 2, DONE), Birth("u", False, 3, 4, DONE)],
        sights=[
            Sight("t", 5, 6, True, "t0", {}),
            Sight("t", 9, 21, True, "t2", {"a": "1", "b": "1"}),
            Sight("t", 11, 13, True, "t0", {}),
            Sight("u", 23, 24, True, "u1"),
        ],
    )


def found(told: History, present: tuple[str, ...] = ("t", "u")) -> list[str]:
    return judge(told, chains(), set(present))


def test_a_true_history_passes() -> None:
    assert found(history()) == []


def test_an_unknown_commit_may_be_applied_later_or_never() -> None:
    told = history()
    told.commits[0] = told.commits[0]._replace(ended=11, outcome=UNKNOWN, location=None)
    told.sights.append(Sight("t", 14, 15, True, "t0", {}))
    told.commits.append(Commit(("t",), "a", 2, 30, 31, UNKNOWN))
    assert found(told) == []


def test_an_unknown_drop_may_come_late_or_never() -> None:
    told = history()
    told.births.append(Birth("u", True, 30, 31, UNKNOWN))
    told.sights += [Sight("u", 32, 33, True), Sight("u", 34, 35, False)]
    assert found(told, ("t",)) == []
    told.sights.pop()
    assert found(told, ("t", "u")) == []


def add_sight(sight: Sight) -> Callable[[History], None]:
    return lambda told: told.sights.append(sight)


def add_commit(commit: Commit) -> Callable[[History], None]:
    return lambda told: told.commits.append(commit)


def change_commit(index: int, **changes: object) -> Callable[[History], None]:
    def change(told: History) -> None:
        told.commits[index] = told.commits[index]._replace(**changes)

    return change


def drop_u(outcome: Outcome, *sights: Sight) -> Callable[[History], None]:
    def change(told: History) -> None:
        told.births.append(Birth("u", True, 30, 31, outcome))
        told.sights.extend(sights)

    return change


LIES: list[tuple[str, Callable[[History], None]]] = [
    ("acknowledged and lost", add_commit(Commit(("t",), "a", 2, 30, 31, DONE))),
    ("refused and applied", change_commit(0, outcome=REFUSED, location=None)),
    ("half done", change_commit(0, tables=("t", "u"))),
    ("nobody tried", change_commit(0, number=2)),
    ("answered with a wrong version", change_commit(0, location="t2")),
    ("answered with a wrong version", change_commit(0, location="t0", repeated=True)),
    ("stale: version 1 after 2", change_commit(0, began=23, ended=24)),
    ("stale: version 0 after 1", add_sight(Sight("t", 13, 14, True, "t0", {}))),
    ("stale: version 1 after 2", add_sight(Sight("t", 22.5, 23, True, "t1", {"a": "1"}))),
    ("stale: version 1 after 1", add_sight(Sight("t", 7, 8, True, "t1", {"a": "1"}))),
    ("seen with the properties of another version", add_sight(Sight("t", 30, 31, True, "t2", {"a": "1"}))),
    ("seen but never committed", add_sight(Sight("t", 30, 31, True, "t9", {}))),
    ("was there and is not seen", add_sight(Sight("t", 30, 31, False))),
    ("was never created and is seen", add_sight(Sight("u", 1, 2, True))),
    ("was gone and is seen", drop_u(DONE, Sight("u", 40, 41, True))),
    ("was gone and is seen", drop_u(UNKNOWN, Sight("u", 40, 41, False), Sight("u", 42, 43, True))),
    ("was gone and is seen", drop_u(DONE)),
    ("was there and is not seen", drop_u(REFUSED, Sight("u", 40, 41, False))),
]


@pytest.mark.parametrize(("message", "lie"), LIES, ids=[f"{n}-{text}" for n, (text, _) in enumerate(LIES)])
def test_a_lie_is_found(message: str, lie: Callable[[History], None]) -> None:
    told = history()
    lie(told)
    assert any(message in fault for fault in found(told)), found(told)


def test_a_table_that_is_gone_or_comes_from_nowhere_is_found() -> None:
    assert found(history(), ("t",)) == ["u was there and is not seen between inf and inf"]
    assert found(history(), ("t", "u", "v")) == ["nobody created v"]


def test_a_version_with_two_commits_or_with_one_again_is_found() -> None:
    told, known = history(), chains()
    known["t"].documents[1]["properties"] = {"a": "1", "b": "1"}
    assert any("instead of one new commit" in fault for fault in judge(told, known, {"t", "u"}))
    known = chains()
    known["u"].locations.append("u2")
    known["u"].documents.append(document("u0", "u1", b="1"))
    assert any("instead of one new commit" in fault for fault in judge(told, known, {"t", "u"}))


def test_files_are_read_and_their_logs_compared() -> None:
    files = {"t0": document(), "t1": document("t0"), "t2": document("t1")}

    def read(location: str) -> bytes:
        if location not in files:
            raise FileNotFoundError(location)
        return json.dumps(files[location]).encode()

    assert read_documents(Chain("t", ["t0", "t1"]), read) == []
    assert "cannot be read" in read_documents(Chain("t", ["t0", "t9"]), read)[0]
    files["t1"]["last-updated-ms"] = -1
    assert "older than the one before" in read_documents(Chain("t", ["t0", "t1"]), read)[0]
    files["t1"]["last-updated-ms"] = 1
    assert "is not what came before it" in read_documents(Chain("t", ["t0", "t1", "t2"]), read)[0]


def test_rows_are_counted() -> None:
    told = history()
    told.commits.append(Commit(("t",), "a", 2, 30, 31, UNKNOWN))
    told.commits.append(Commit(("t",), "a", 3, 32, 33, REFUSED))
    assert check_rows(told, "a", [1]) == check_rows(told, "a", [1, 2]) == []
    assert check_rows(told, "a", [2]) == ["a: row 1 is lost"]
    assert check_rows(told, "a", [1, 3]) == ["a: row 3 was refused"]
    assert check_rows(told, "a", [1, 1]) == ["a: rows are there twice"]
