"""Whether a history can be true, judged by the database and the files that it has left.

The table ``changes`` says in which order the versions of each table came. With that order known, a history is
linearizable exactly when nothing is older than what had ended before it began.
"""

import heapq
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from tests.load.history import NEVER, Birth, Commit, History, Outcome
from tests.support.postgres import DatabaseAddress
from tests.support.replay import Row, default_warehouse, recorded, replay, stored
from tests.support.warehouses import Warehouse, same_place

LOG_LENGTH = 100  # write.metadata.previous-versions-max, as nobody has set it
Reader = Callable[[str], bytes]


@dataclass
class Chain:
    """The versions of one table in their order: locations and documents; ``placed`` tells which commit made which."""

    table: str
    locations: list[str]
    documents: list[dict[str, Any]] = field(default_factory=list)
    placed: dict[tuple[str, int], int] = field(default_factory=dict)

    @cached_property
    def positions(self) -> dict[str, int]:
        return {location: position for position, location in enumerate(self.locations)}

    def position(self, location: str) -> int | None:
        return self.positions.get(location)

    def properties(self, position: int) -> dict[str, str]:
        return dict(self.documents[position].get("properties", {}))


class Moment(NamedTuple):
    """Somebody had to do with a version between two times; ``made`` it or saw it."""

    began: float
    ended: float
    position: int
    made: bool
    what: object


def verify(history: History, database: DatabaseAddress, warehouse: Warehouse) -> None:
    """Raise AssertionError with all that is wrong: lost, half done, doubled, stale, missing."""
    faults = list(history.faults)
    number = default_warehouse(database)
    rows = recorded(database, number)
    state = replay(rows)
    assert state == stored(database, number), "the change log and the tables differ"
    chains = versions(rows, history.namespace)
    for chain in chains.values():
        faults += read_documents(chain, warehouse.read)
    if not faults:
        present = {name for levels, name in state.objects if levels == (history.namespace,)}
        faults = judge(history, chains, present)
    assert not faults, f"{len(faults)} faults in {history}:\n" + "\n".join(faults[:20])


def versions(rows: Iterable[Row], namespace: str) -> dict[str, Chain]:
    """Return the versions of each table of a namespace, without their documents."""
    chains: dict[str, Chain] = {}
    for row in rows:
        if row.levels == (namespace,) and row.action in {"table.created", "table.committed"}:
            assert row.name, row
            assert row.after, row
            chains.setdefault(row.name, Chain(row.name, [])).locations.append(row.after)
    return chains


def orphans(history: History, database: DatabaseAddress, warehouse: Warehouse) -> set[str]:
    """Return the metadata files that no change of the catalog has ever named."""
    rows = recorded(database, default_warehouse(database))
    named = {same_place(row.after) for row in rows if row.after}
    inside = f"/{history.namespace}/"
    files = {name for name in warehouse.files() if inside in name and name.endswith(".metadata.json")}
    return files - named


def judge(history: History, chains: dict[str, Chain], present: set[str]) -> list[str]:
    """Return what is wrong with a history whose versions are known."""
    faults: list[str] = []
    for chain in chains.values():
        faults += place_commits(chain, history)
    faults += check_commits(history, chains)
    for chain in chains.values():
        faults += check_sights(chain, history)
        faults += check_order(moments(chain, history))
    return faults + check_lives(history, present)


def read_documents(chain: Chain, read: Reader) -> list[str]:
    """Read every version; each one's log has to name the ones before it, and its time not to be before theirs."""
    for position, location in enumerate(chain.locations):
        try:
            chain.documents.append(json.loads(read(location)))
        except (OSError, ValueError) as error:
            return [f"{chain.table}: version {position} cannot be read: {error!r}"]
        log = [entry["metadata-file"] for entry in chain.documents[-1].get("metadata-log", [])]
        if log != chain.locations[max(0, position - LOG_LENGTH) : position]:
            return [f"{chain.table}: the log of version {position} is not what came before it"]
        if position and updated(chain, position) < updated(chain, position - 1):
            return [f"{chain.table}: version {position} says that it is older than the one before it"]
    return []


def updated(chain: Chain, position: int) -> int:
    return int(chain.documents[position]["last-updated-ms"])


def place_commits(chain: Chain, history: History) -> list[str]:
    """Find out which version holds which commit: one each, and each once."""
    clients = {commit.client for commit in history.commits}
    faults = []
    for position in range(1, len(chain.locations)):
        before, after = chain.properties(position - 1), chain.properties(position)
        changed = [
            (client, int(after[client]))
            for client in clients & after.keys()
            if after[client] != before.get(client)
        ]
        if len(changed) != 1 or changed[0] in chain.placed:
            faults.append(f"{chain.table}: version {position} holds {changed} instead of one new commit")
        chain.placed |= dict.fromkeys(changed, position)
    tried = {(each.client, each.number) for each in history.commits if chain.table in each.tables}
    return faults + [f"{chain.table}: nobody tried {key}" for key in chain.placed.keys() - tried]


def check_commits(history: History, chains: dict[str, Chain]) -> list[str]:
    """Acknowledged ones are there, refused ones are not, and none is there by half."""
    faults = []
    for commit in history.commits:
        places = [
            chains[table].placed.get((commit.client, commit.number)) if table in chains else None
            for table in commit.tables
        ]
        applied = [place is not None for place in places]
        if len(set(applied)) != 1:
            faults.append(f"half done: {commit}")
        elif commit.outcome is Outcome.DONE and not applied[0]:
            faults.append(f"acknowledged and lost: {commit}")
        elif commit.outcome is Outcome.REFUSED and applied[0]:
            faults.append(f"refused and applied: {commit}")
        elif commit.location and not answers_right(chains[commit.tables[0]], commit, places[0]):
            faults.append(f"answered with a wrong version: {commit}")
    return faults


def answers_right(chain: Chain, commit: Commit, place: int | None) -> bool:
    assert commit.location is not None
    position = chain.position(commit.location)
    if position is None or place is None:
        return False
    return position >= place if commit.repeated else position == place


def check_sights(chain: Chain, history: History) -> list[str]:
    """What was seen is a version, with its own properties."""
    faults = []
    for sight in history.sights:
        if sight.table != chain.table or sight.location is None:
            continue
        position = chain.position(sight.location)
        if position is None:
            faults.append(f"seen but never committed: {sight}")
        elif sight.properties is not None and sight.properties != chain.properties(position):
            faults.append(f"seen with the properties of another version: {sight}")
    return faults


def moments(chain: Chain, history: History) -> Iterable[Moment]:
    """Return who made or saw which version, and when; unknown commits end never."""
    for commit in history.commits:
        place = chain.placed.get((commit.client, commit.number)) if chain.table in commit.tables else None
        if place is not None:
            ended = commit.ended if commit.outcome is Outcome.DONE else NEVER
            yield Moment(commit.began, ended, place, True, commit)
    for sight in history.sights:
        if sight.table == chain.table and sight.location is not None:
            position = chain.position(sight.location)
            if position is not None:
                yield Moment(sight.began, sight.ended, position, False, sight)


def check_order(found: Iterable[Moment]) -> list[str]:
    """Nothing may be older than what had ended before it began; what is made has to be newer."""
    faults = []
    running: list[tuple[float, int]] = []
    newest = -1
    for moment in sorted(found, key=lambda each: each.began):
        while running and running[0][0] < moment.began:
            newest = max(newest, heapq.heappop(running)[1])
        if moment.position < newest + moment.made:
            faults.append(f"stale: version {moment.position} after {newest} had been there: {moment.what}")
        heapq.heappush(running, (moment.ended, moment.position))
    return faults


def check_lives(history: History, present: set[str]) -> list[str]:
    """Names are absent, then present, then absent for ever."""
    births = {each.table: each for each in history.births if not each.drop}
    drops = {each.table: each for each in history.births if each.drop}
    faults = [f"nobody created {table}" for table in present - births.keys()]
    for table, birth in births.items():
        faults += check_life(history, birth, drops.get(table), table in present)
    return faults


def check_life(history: History, birth: Birth, drop: Birth | None, there: bool) -> list[str]:
    """Judge all that was seen of one name, the state at the end included."""
    sights = [(each.began, each.ended, each.present) for each in history.sights if each.table == birth.table]
    sights.append((NEVER, NEVER, there))
    known = [birth.ended] if birth.outcome is Outcome.DONE else []
    present_from = min([*known, *(ended for _, ended, present in sights if present)], default=NEVER)
    may_go = drop.began if drop and drop.outcome is not Outcome.REFUSED else NEVER
    gone = [drop.ended] if drop and drop.outcome is Outcome.DONE else []
    gone += [ended for began, ended, present in sights if not present and began > present_from]
    gone_from = min(gone, default=NEVER)
    faults = []
    for began, ended, present in sights:
        if not present and began > present_from and (ended < may_go or may_go == NEVER):
            faults.append(f"{birth.table} was there and is not seen between {began} and {ended}")
        if present and (birth.outcome is Outcome.REFUSED or ended < birth.began):
            faults.append(f"{birth.table} was never created and is seen between {began} and {ended}")
        if present and began > gone_from:
            faults.append(f"{birth.table} was gone and is seen between {began} and {ended}")
    return faults


def check_rows(history: History, client: str, rows: list[int]) -> list[str]:
    """Judge the rows that a client appended, one with every commit."""
    mine = [each for each in history.commits if each.client == client]
    done = {each.number for each in mine if each.outcome is Outcome.DONE}
    possible = {each.number for each in mine if each.outcome is not Outcome.REFUSED}
    faults = [f"{client}: rows are there twice"] if len(rows) != len(set(rows)) else []
    faults += [f"{client}: row {number} is lost" for number in sorted(done - set(rows))]
    return faults + [f"{client}: row {number} was refused" for number in sorted(set(rows) - possible)]
