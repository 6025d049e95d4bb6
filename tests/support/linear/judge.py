"""Whole histories, judged world by world."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from tests.support.linear.checker import Operation, Refuted, refute
from tests.support.linear.events import Event
from tests.support.linear.reads import READS
from tests.support.linear.world import World
from tests.support.linear.writes import GRANTS, WRITES, Ways, ways_of_grants

WITH_DOCUMENT = frozenset({"load", "create", "commit", "append"})


def refute_history(events: Iterable[Event], initial: World) -> Refuted | None:
    """Return the first answer of a world that no order of its operations explains.

    :param initial: what every world was at first
    """
    worlds: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        worlds[event.asked.world].append(event)
    found = (refute(initial, operations(history, initial)) for history in worlds.values())
    return next(filter(None, found), None)


def operations(history: Sequence[Event], initial: World) -> list[Operation]:
    """What happened in one world, without what certainly had no effect and says nothing."""
    made = {event.asked.tag for event in history if event.asked.action == "create"}
    tags = sorted(made | {thing.tag for _, thing in initial.things})
    return [
        Operation(event.called, None if event.is_unknown else event.returned, _ways(event, tags), event)
        for event in history
        if not event.was_not_done and not (event.is_unknown and event.asked.is_read)
    ]


def _ways(event: Event, tags: Sequence[str]) -> Ways:
    action = event.asked.action
    if action in GRANTS:
        return ways_of_grants(event, tags)
    meaning: Callable[[Event], Ways] = (READS | WRITES)[action]
    return meaning(event)


def mixed_answers(events: Iterable[Event]) -> list[str]:
    """Return answers that put together what does not belong together.

    A state of a table has one metadata file and one entity tag, and a table has one uuid.
    """
    told: dict[tuple[object, ...], str] = {}
    faults = []
    for event in events:
        if event.status not in {200, 304} or event.asked.action not in WITH_DOCUMENT:
            continue
        thing, loaded = event.thing, event.loaded
        facts = [
            (("file of", thing), loaded["metadata-location"]),
            (("thing of", loaded["metadata-location"]), str(thing)),
            (("uuid of", thing.tag), loaded["metadata"][f"{thing.kind}-uuid"]),
        ]
        if event.etag:
            facts.append((("entity tag of", thing), event.etag))
        faults += [
            f"{fact}: {told[fact]} and {value}"
            for fact, value in facts
            if told.setdefault(fact, value) != value
        ]
    return faults
