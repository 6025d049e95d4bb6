"""Is there one order of operations, each somewhere between its call and its return, that explains every answer?

Wing and Gong's search, just in time: calls and returns are taken in the order of the clock, and with every return only
those orders of what was under way are tried that let this one return. (J. Wing, C. Gong: Testing and verifying
concurrent objects, 1993; G. Lowe: Testing for linearizability, 2017.)
"""

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import NamedTuple

State = Hashable
Look = Callable[[State], bool]
Change = Callable[[State], State | None]
MOST_CONFIGURATIONS = 100_000


class Way(NamedTuple):
    """What may have happened inside the service: looks, one after the other, then at most one change.

    A look tells whether what was answered fits a state; a change returns the next state, None where it does not fit.
    """

    looks: tuple[Look, ...] = ()
    change: Change | None = None


class Operation(NamedTuple):
    """``called`` and ``returned`` are of one clock; ``ways`` are alternatives, one of which was gone.

    ``returned`` is None when nobody knows what came of it: it happens at any time after its call, or never. ``told`` is
    what to call it.
    """

    called: int
    returned: int | None
    ways: tuple[Way, ...]
    told: object


class Refuted(NamedTuple):
    """No order explains the answer of ``operation``."""

    operation: Operation
    meanwhile: list[Operation]
    states: list[State]

    def __str__(self) -> str:
        lines = [f"No order of operations explains {_shown(self.operation)}", "Under way with it:"]
        lines += [f"  {_shown(each)}" for each in self.meanwhile]
        lines += ["What all answers before it leave possible:", *(f"  {state}" for state in self.states[:5])]
        return "\n".join(lines)


class Undecided(RuntimeError):
    """There are too many possibilities to try."""


class _Configuration(NamedTuple):
    """A state that is possible, with what of the running operations was done to come there.

    ``looked`` has the number of an operation, the number of a way and how many of its looks were taken.
    """

    state: State
    done: frozenset[int]
    looked: frozenset[tuple[int, int, int]]


def refute(initial: State, operations: Iterable[Operation]) -> Refuted | None:
    """Return the first answer that cannot be explained, None when all of them can.

    :raises Undecided: when that would take too long to find out
    """
    return _Search(initial, sorted(operations, key=lambda each: each.called)).run()


class _Search:
    def __init__(self, initial: State, operations: Sequence[Operation]) -> None:
        self.operations = operations
        self.running: set[int] = set()
        self.possible = {_Configuration(initial, frozenset(), frozenset())}

    def run(self) -> Refuted | None:
        for _, is_return, number in sorted(self._events()):
            if not is_return:
                self.running.add(number)
                self.possible = {self._look(each, [number]) for each in self.possible}
                continue
            before, self.possible = self.possible, self._returning(number)
            self.running.discard(number)
            if not self.possible:
                return self._refuted(number, before)
        return None

    def _events(self) -> Iterable[tuple[int, bool, int]]:
        for number, operation in enumerate(self.operations):
            if operation.returned is not None:
                yield operation.called, False, number
                yield operation.returned, True, number
            elif any(way.change for way in operation.ways):
                yield operation.called, False, number

    def _returning(self, number: int) -> set[_Configuration]:
        """All that is possible once an operation has happened, and nothing has that need not have happened yet."""
        waiting = list(self.possible)
        seen, found = set(waiting), set()
        while waiting:
            current = waiting.pop()
            if number in current.done:
                found.add(_without(current, number))
                continue
            for following in self._followings(current):
                if following not in seen:
                    seen.add(following)
                    waiting.append(following)
            if len(seen) > MOST_CONFIGURATIONS:
                raise Undecided(f"more than {MOST_CONFIGURATIONS} ways to {_shown(self.operations[number])}")
        return found

    def _followings(self, current: _Configuration) -> Iterable[_Configuration]:
        looked = {(number, way): count for number, way, count in current.looked}
        for number in self.running - current.done:
            for place, way in enumerate(self.operations[number].ways):
                if way.change is None or looked.get((number, place), 0) < len(way.looks):
                    continue
                state = way.change(current.state)
                if state is not None:
                    changed = _done(current._replace(state=state), number)
                    yield self._look(changed, self.running - changed.done)

    def _look(self, current: _Configuration, numbers: Iterable[int]) -> _Configuration:
        """Take every look that fits now. A look does no harm, so nothing is missed by taking it early."""
        looked = {(number, way): count for number, way, count in current.looked}
        ended = set()
        for number in numbers:
            for place, way in enumerate(self.operations[number].ways):
                count = looked.get((number, place), 0)
                while count < len(way.looks) and way.looks[count](current.state):
                    count += 1
                looked[number, place] = count
                if count == len(way.looks) and way.change is None:
                    ended.add(number)
        progress = {(*key, count) for key, count in looked.items() if count and key[0] not in ended}
        return _Configuration(current.state, current.done | ended, frozenset(progress))

    def _refuted(self, number: int, before: set[_Configuration]) -> Refuted:
        meanwhile = [self.operations[each] for each in sorted(self.running)]
        return Refuted(self.operations[number], meanwhile, list({each.state for each in before}))


def _done(current: _Configuration, number: int) -> _Configuration:
    kept = frozenset(each for each in current.looked if each[0] != number)
    return current._replace(done=current.done | {number}, looked=kept)


def _without(current: _Configuration, number: int) -> _Configuration:
    return current._replace(done=current.done - {number})


def _shown(operation: Operation) -> str:
    took = "?" if operation.returned is None else f"{(operation.returned - operation.called) / 1e6:.1f}"
    return f"[{operation.called / 1e6:.1f} ms + {took} ms] {operation.told}"
