"""Good histories made bad: what a judge of histories must not accept."""

from collections.abc import Iterator, Sequence

from tests.support.linear.events import Event

COMMITS = frozenset({"commit", "append"})


def with_stale_load(history: Sequence[Event]) -> list[Event]:
    """Answer a load with what an earlier one saw, although a commit was answered between them."""
    early, commit = next(_loads_and_commits(history))
    late = next(
        event
        for event in history
        if _is_load(event) and event.called > commit.returned and event.thing.tag == early.thing.tag
    )
    return _replaced(history, late, late._replace(status=200, body=early.body, etag=early.etag))


def with_lost_commit(history: Sequence[Event]) -> list[Event]:
    """Let a commit be refused whose effect others saw."""
    _, commit = next(_loads_and_commits(history))
    return [event for event in history if event is not commit]


def _loads_and_commits(history: Sequence[Event]) -> Iterator[tuple[Event, Event]]:
    """Yield loads with commits to the same object that came later, and whose effect was seen still later."""
    loads = [event for event in history if _is_load(event)]
    for commit in history:
        if commit.asked.action not in COMMITS or commit.status != 200:
            continue
        same = [load for load in loads if load.thing.tag == commit.thing.tag]
        before = [load for load in same if load.returned < commit.called]
        if before and any(load.called > commit.returned and load.thing == commit.thing for load in same):
            yield before[0], commit


def _is_load(event: Event) -> bool:
    return event.asked.action == "load" and event.status == 200


def _replaced(history: Sequence[Event], old: Event, new: Event) -> list[Event]:
    return [new if event is old else event for event in history]
