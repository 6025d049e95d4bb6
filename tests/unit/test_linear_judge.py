"""What answers say about a world: histories of requests that one order explains, and such that none does."""

import json
from typing import Any

import pytest

from tests.support.linear.events import Asked, Event, Known
from tests.support.linear.judge import mixed_answers, refute_history
from tests.support.linear.spoil import with_lost_commit, with_stale_load
from tests.support.linear.world import TAG, WHOLE, Place, Thing, World

AT, BT, AU = Place("a", "t"), Place("b", "t"), Place("a", "u")
SPACES = frozenset({("a", frozenset({(TAG, "a")})), ("b", frozenset({(TAG, "b")}))})
ORDERS = Thing("table", "orders", frozenset({(TAG, "orders")}))
EMPTY = World(SPACES)
FULL = World(SPACES, frozenset({(AT, ORDERS)}))
ITEMS = Thing("table", "items", frozenset({(TAG, "items")}))
TWO = World(SPACES, frozenset({(AT, ORDERS), (BT, ITEMS)}))
OPEN = FULL._replace(rights=frozenset({WHOLE}))
GRANTED = FULL._replace(rights=frozenset({"orders"}))
NO_TABLE, NO_SPACE = "NoSuchTableException", "NoSuchNamespaceException"
TAKEN, FAILED = "AlreadyExistsException", "CommitFailedException"


def document(tag: str = "orders", main: int | None = None, **marks: int) -> dict[str, Any]:
    properties = {TAG: tag, "write.something": "else", **{f"by-{who}": str(n) for who, n in marks.items()}}
    refs = {} if main is None else {"main": {"snapshot-id": main}}
    metadata = {"properties": properties, "refs": refs, "table-uuid": f"uuid of {tag}"}
    return {"metadata-location": f"{tag} {main} {sorted(marks.items())}", "metadata": metadata}


def event(
    action: str, called: int, returned: int, status: int | None, answer: Any = None, **more: Any
) -> Event:
    """``answer`` is JSON, or the type of an error; where it happens is ``a.t`` unless said otherwise."""
    if isinstance(answer, str):
        answer = {"error": {"type": answer, "message": "No", "code": status}}
    asked = Asked(action, "w", **{"place": AT, "client": "x", **more})
    body = b"" if answer is None else json.dumps(answer).encode()
    return Event(asked, called, returned, status, body)


def load(called: int, returned: int, answer: Any, **more: Any) -> Event:
    return event("load", called, returned, 404 if isinstance(answer, str) else 200, answer, **more)


def commit(called: int, returned: int, mark: int, **marks: int) -> Event:
    return event("commit", called, returned, 200, document(**marks, x=mark), mark=mark)


def listed(called: int, returned: int, *names: str, **more: Any) -> Event:
    answer = {"identifiers": [{"namespace": ["w", "a"], "name": name} for name in names]}
    return event("list", called, returned, 200, answer, **more)


def children(called: int, returned: int, *names: str, **more: Any) -> Event:
    return event(
        "list_spaces", called, returned, 200, {"namespaces": [["w", name] for name in names]}, **more
    )


def change_right(action: str, called: int, returned: int, *changed: str, **more: Any) -> Event:
    return event(action, called, returned, 200, {"privileges": changed}, **{"reader": "r", **more})


READ, ALL = "read-metadata", Place("", "")
KNOWN = Known('"1"', json.dumps(document()).encode())
LOADED = load(1, 2, document())

ACCEPTED = {
    "create and load": (
        EMPTY,
        [
            event("create", 1, 2, 200, document("w-7"), mark=7),
            load(3, 4, document("w-7")),
            listed(5, 6, "t"),
        ],
    ),
    "a creation is seen before it is answered": (
        EMPTY,
        [
            event("create", 1, 9, 200, document("w-7"), mark=7),
            load(2, 3, NO_TABLE),
            load(4, 5, document("w-7")),
        ],
    ),
    "two creations": (
        EMPTY,
        [
            event("create", 1, 5, 200, document("w-7"), mark=7),
            event("create", 2, 6, 409, TAKEN, mark=8),
        ],
    ),
    "a view takes a table's name": (
        FULL,
        [
            event("create", 1, 2, 409, TAKEN, kind="view"),
            event("load", 3, 4, 404, "NoSuchViewException", kind="view"),
        ],
    ),
    "commits on top of each other": (
        FULL,
        [
            commit(1, 6, 1),
            commit(2, 7, 2),
            load(8, 9, document(x=2)),
        ],
    ),
    "a commit as its namespace is renamed": (
        FULL,
        [
            commit(1, 9, 1),
            event("rename_space", 2, 3, 204, to=Place("c", "t")),
            load(4, 5, document(), place=Place("c", "t")),
            load(10, 11, document(x=1), place=Place("c", "t")),
        ],
    ),
    "a crowded commit": (
        FULL,
        [
            event("commit", 1, 2, 409, mark=1)._replace(body=b"is being changed by too many clients"),
            load(3, 4, document()),
        ],
    ),
    "an append on what is current": (
        FULL,
        [
            event("append", 1, 2, 200, document(main=5), mark=5, known=KNOWN),
            load(3, 4, document(main=5)),
        ],
    ),
    "an append on what is not": (
        FULL,
        [
            event("append", 1, 2, 200, document(main=5), mark=5, known=KNOWN),
            event("append", 3, 4, 409, FAILED, mark=6, known=KNOWN),
        ],
    ),
    "a transaction": (
        TWO,
        [
            event("transact", 1, 4, 204, to=BT, mark=1),
            load(2, 3, document("items", x=1), place=BT),
            load(5, 6, document(x=1)),
        ],
    ),
    "a transaction on what is not there": (FULL, [event("transact", 1, 2, 404, NO_TABLE, to=BT)]),
    "not modified": (FULL, [event("load", 1, 2, 304, known=KNOWN)]),
    "a lost commit that happened": (FULL, [event("commit", 1, 2, None, mark=1), load(3, 4, document(x=1))]),
    "a lost commit that did not": (FULL, [event("commit", 1, 2, 500, mark=1), load(3, 4, document())]),
    "a lost read": (FULL, [event("load", 1, 2, None)]),
    "rename": (
        FULL,
        [
            event("rename", 1, 2, 204, to=BT),
            load(3, 4, document(), place=BT),
            load(5, 6, NO_TABLE),
            listed(7, 8),
        ],
    ),
    "rename to what is taken": (FULL, [event("rename", 1, 2, 409, TAKEN, place=AT, to=AT)]),
    "rename to where nothing is": (FULL, [event("rename", 1, 2, 404, NO_SPACE, to=Place("c", "t"))]),
    "drop": (FULL, [event("drop", 1, 2, 204), event("has", 3, 4, 404), event("drop", 5, 6, 404, NO_TABLE)]),
    "namespaces": (
        FULL,
        [
            event("create_space", 1, 2, 200, {"properties": {TAG: "w-7"}}, place=Place("c", ""), mark=7),
            event("update_space", 3, 4, 200, place=Place("c", ""), mark=8),
            event("load_space", 5, 6, 200, {"properties": {TAG: "w-7", "by-x": "8"}}, place=Place("c", "")),
            event("drop_space", 7, 8, 204, place=Place("c", "")),
            event("drop_space", 9, 10, 409, "NamespaceNotEmptyException"),
            children(11, 12, "a", "b"),
        ],
    ),
    "the reader may not": (
        FULL,
        [
            load(1, 2, NO_TABLE, reader="r"),
            listed(3, 4, "t"),
            event("list", 5, 6, 404, NO_SPACE, reader="r"),
            event("load_space", 7, 8, 404, NO_SPACE, reader="r"),
        ],
    ),
    "the reader may": (
        OPEN,
        [
            load(1, 2, document(), reader="r"),
            listed(3, 4, "t", reader="r"),
            children(5, 6, "a", "b", reader="r"),
            event("has_space", 7, 8, 204, reader="r"),
        ],
    ),
    "the reader may load one table": (
        GRANTED,
        [
            load(1, 2, document(), reader="r"),
            listed(3, 4, "t", reader="r"),
            children(5, 6, "a", reader="r"),
            event("load_space", 7, 8, 403, "ForbiddenException", reader="r"),
            event("has_space", 9, 10, 204, reader="r"),
            event("has_space", 9, 10, 404, reader="r", place=BT),
        ],
    ),
    "a right goes with its table": (
        FULL,
        [
            change_right("grant", 1, 2, READ),
            event("rename", 3, 4, 204, to=BT),
            load(5, 6, document(), place=BT, reader="r"),
        ],
    ),
    "a right on what is renamed meanwhile": (
        FULL,
        [
            change_right("grant", 1, 4, READ),
            event("rename", 2, 3, 204, to=BT),
            load(5, 6, document(), place=BT, reader="r"),
        ],
    ),
    "given and taken": (
        FULL,
        [
            change_right("grant", 1, 2, READ, place=ALL),
            change_right("grant", 3, 4, place=ALL),
            change_right("revoke", 5, 6, READ, place=ALL),
            load(7, 8, NO_TABLE, reader="r"),
        ],
    ),
    "a member": (
        FULL,
        [
            event("join", 1, 2, 204, reader="r"),
            load(3, 4, document(), reader="r"),
            event("leave", 5, 6, 204, reader="r"),
            event("leave", 7, 8, 404, "NotFoundException", reader="r"),
        ],
    ),
    "checked before a revocation, read after it": (
        OPEN,
        [
            load(1, 9, document(x=1), reader="r"),
            change_right("revoke", 2, 3, READ, place=ALL),
            commit(4, 5, 1),
        ],
    ),
}
REJECTED = {
    "a stale load": (FULL, [commit(1, 2, 1), load(3, 4, document())]),
    "stale, and the commit was lost": (
        FULL,
        [
            event("commit", 1, 2, None, mark=1),
            load(3, 4, document(x=1)),
            load(5, 6, document()),
        ],
    ),
    "a lost commit": (FULL, [commit(1, 2, 1), event("commit", 3, 4, 200, document(y=2), client="y", mark=2)]),
    "a refused commit that happened": (
        FULL,
        [
            event("commit", 1, 2, 503, mark=1),
            load(3, 4, document(x=1)),
        ],
    ),
    "half a transaction": (
        TWO,
        [
            event("transact", 1, 8, 204, to=BT, mark=1),
            load(2, 3, document("items", x=1), place=BT),
            load(4, 5, document()),
        ],
    ),
    "half a transaction that was lost": (
        TWO,
        [
            event("transact", 1, 2, None, to=BT, mark=1),
            load(3, 4, document(x=1)),
            load(5, 6, document("items"), place=BT),
        ],
    ),
    "not modified, but it is": (FULL, [commit(1, 2, 1), event("load", 3, 4, 304, known=KNOWN)]),
    "two appends on the same": (
        FULL,
        [
            event("append", 1, 2, 200, document(main=5), mark=5, known=KNOWN),
            event("append", 1, 3, 200, document(main=6), mark=6, known=KNOWN),
        ],
    ),
    "an append refused for nothing": (FULL, [event("append", 1, 2, 409, FAILED, mark=6, known=KNOWN)]),
    "two creations that both win": (
        EMPTY,
        [
            event("create", 1, 5, 200, document("w-7"), mark=7),
            event("create", 2, 6, 200, document("w-8"), mark=8),
        ],
    ),
    "not listed after it was created": (
        EMPTY,
        [event("create", 1, 2, 200, document("w-7"), mark=7), listed(3, 4)],
    ),
    "still listed after a drop": (FULL, [event("drop", 1, 2, 204), listed(3, 4, "t")]),
    "still there after a drop": (FULL, [event("drop", 1, 2, 204), event("has", 3, 4, 204)]),
    "under both names": (FULL, [event("rename", 1, 2, 204, to=BT), load(3, 4, document())]),
    "under neither name": (
        FULL,
        [
            event("rename", 1, 9, 204, to=BT),
            load(2, 3, NO_TABLE),
            load(4, 5, NO_TABLE, place=BT),
            load(6, 7, document()),
        ],
    ),
    "a commit to an old name": (FULL, [event("rename", 1, 2, 204, to=BT), commit(3, 4, 1)]),
    "a commit as its table is renamed, too late": (
        FULL,
        [
            commit(1, 9, 1),
            event("rename", 2, 3, 204, to=AU),
            load(4, 5, document(), place=AU),
        ],
    ),
    "a dropped namespace was not empty": (FULL, [event("drop_space", 1, 2, 204)]),
    "a namespace is listed after its drop": (
        FULL,
        [event("drop_space", 1, 2, 204, place=BT), children(3, 4, "a", "b")],
    ),
    "old properties of a namespace": (
        FULL,
        [
            event("update_space", 1, 2, 200, mark=8),
            event("load_space", 3, 4, 200, {"properties": {TAG: "a"}}),
        ],
    ),
    "below the old name of its namespace": (
        FULL,
        [
            event("rename_space", 1, 2, 204, to=Place("c", "t")),
            load(3, 4, document()),
        ],
    ),
    "loaded after the revocation": (
        OPEN,
        [
            change_right("revoke", 1, 2, READ, place=ALL),
            load(3, 4, document(), reader="r"),
        ],
    ),
    "not modified after the revocation": (
        OPEN,
        [
            change_right("revoke", 1, 2, READ, place=ALL),
            event("load", 3, 4, 304, known=KNOWN, reader="r"),
        ],
    ),
    "listed after the revocation": (
        GRANTED,
        [change_right("revoke", 1, 2, READ), listed(3, 4, "t", reader="r")],
    ),
    "hidden after the grant": (FULL, [change_right("grant", 1, 2, READ), load(3, 4, NO_TABLE, reader="r")]),
    "not listed after the grant": (
        FULL,
        [
            change_right("grant", 1, 2, READ),
            event("list", 3, 4, 404, NO_SPACE, reader="r"),
        ],
    ),
    "only some listed": (OPEN, [listed(1, 2, reader="r")]),
    "no member any more": (
        FULL,
        [
            event("join", 1, 2, 204, reader="r"),
            event("leave", 3, 4, 204, reader="r"),
            event("has", 5, 6, 204, reader="r"),
        ],
    ),
    "a right on one that got the name of another": (
        GRANTED,
        [
            event("rename", 1, 2, 204, to=BT),
            event("create", 3, 4, 200, document("w-7"), mark=7),
            load(5, 6, document("w-7"), reader="r"),
        ],
    ),
    "a right twice": (FULL, [change_right("grant", 1, 2, READ), change_right("grant", 3, 4, READ)]),
}


@pytest.mark.parametrize(("initial", "history"), ACCEPTED.values(), ids=ACCEPTED)
def test_accepted(initial: World, history: list[Event]) -> None:
    refuted = refute_history(history, initial)
    assert refuted is None, str(refuted)


@pytest.mark.parametrize(("initial", "history"), REJECTED.values(), ids=REJECTED)
def test_rejected(initial: World, history: list[Event]) -> None:
    assert refute_history(history, initial) is not None


def test_worlds_are_judged_by_themselves() -> None:
    other = event("drop", 1, 2, 204)
    moved = other._replace(asked=other.asked._replace(world="v"))
    history = [moved, load(3, 4, document())]
    assert refute_history(history, FULL) is None
    assert refute_history([*history, event("has", 5, 6, 404)], FULL) is not None


def test_what_does_not_belong_together() -> None:
    good = [load(1, 2, document(x=1)), commit(3, 4, 2), load(5, 6, document(x=2))]
    assert mixed_answers(good) == []
    other_file = {**document(x=2), "metadata-location": document(x=1)["metadata-location"]}
    assert mixed_answers([*good, load(7, 8, other_file)])
    assert mixed_answers([good[0]._replace(etag='"1"'), good[0]._replace(etag='"2"')])


def test_spoiled_histories_are_rejected() -> None:
    history = [LOADED, commit(3, 4, 1), load(5, 6, document(x=1))]
    assert refute_history(history, FULL) is None
    assert refute_history(with_stale_load(history), FULL) is not None
    assert refute_history(with_lost_commit(history), FULL) is not None
