"""The judge of histories: what it has to accept, what it has to reject, and that it agrees with trying all orders."""

from functools import partial
from itertools import permutations
from random import Random

import pytest

from tests.support.linear.checker import Operation, Refuted, Undecided, Way, refute


def read(called: int, returned: int | None, value: object) -> Operation:
    return Operation(called, returned, (Way((lambda state: state == value,)),), f"read {value}")


def write(called: int, returned: int | None, value: object) -> Operation:
    return Operation(called, returned, (Way((), lambda _: value),), f"write {value}")


def swap(called: int, returned: int | None, new: object, old: object) -> Operation:
    return Operation(
        called, returned, (Way((), lambda state: new if state == old else None),), f"swap {old} {new}"
    )


def look_twice(called: int, returned: int, first: object, second: object) -> Operation:
    """One that looks at two moments."""
    looks = (lambda state: state == first, lambda state: state == second)
    return Operation(called, returned, (Way(looks),), f"look at {first}, then {second}")


def look_and_write(called: int, returned: int | None, seen: object, value: object) -> Operation:
    """One that decides at one moment and writes at a later one."""
    return Operation(
        called, returned, (Way((lambda state: state == seen,), lambda _: value),), f"{seen} -> {value}"
    )


def either(called: int, returned: int, *values: object) -> Operation:
    ways = tuple(Way((lambda state, value=value: state == value,)) for value in values)
    return Operation(called, returned, ways, f"read one of {values}")


ACCEPTED = {
    "nothing": [],
    "one after the other": [write(1, 2, 1), read(3, 4, 1), write(5, 6, 2), read(7, 8, 2)],
    "a read that overlaps a write sees what was before": [write(1, 10, 1), read(2, 3, 0), read(11, 12, 1)],
    "or what comes": [write(1, 10, 1), read(2, 3, 1), read(4, 5, 1)],
    "two writes in either order": [write(1, 5, 1), write(2, 6, 2), read(7, 8, 1), read(9, 10, 1)],
    "reads see one order": [write(1, 9, 1), write(1, 9, 2), read(2, 3, 0), read(4, 5, 2), read(6, 7, 1)],
    "swaps on top of each other": [swap(1, 5, 1, old=0), swap(2, 6, 2, old=1), read(7, 8, 2)],
    "an unknown write is seen": [write(1, None, 1), read(5, 6, 0), read(7, 8, 1)],
    "an unknown write is never seen": [write(1, None, 1), read(5, 6, 0), read(7, 8, 0)],
    "an unknown write is overwritten unseen": [write(1, None, 1), write(2, 3, 2), read(4, 5, 2)],
    "an unknown write happens after a later one": [
        write(1, None, 1),
        write(2, 3, 2),
        read(4, 5, 2),
        read(6, 7, 1),
    ],
    "an unknown read": [read(1, None, 7), read(2, 3, 0)],
    "looks at two moments": [write(2, 3, 1), look_twice(1, 4, 0, 1)],
    "looks at one moment twice": [look_twice(1, 4, 0, 0), write(5, 6, 1)],
    "decides, and writes when others have written": [
        *(look_and_write(1, 6, 0, 2), write(2, 3, 1)),
        *(read(4, 5, 1), read(7, 8, 2)),
    ],
    "the same value again": [write(1, 2, 1), write(3, 9, 1), write(4, 5, 2), read(6, 7, 2), read(10, 11, 1)],
    "one of two ways": [write(1, 2, 1), either(3, 4, 0, 1)],
    "touching intervals overlap": [write(1, 2, 1), read(2, 3, 0)],
}
REJECTED = {
    "a stale read": [write(1, 2, 1), read(3, 4, 0)],
    "a stale read after a fresh one": [write(1, 10, 1), read(2, 3, 1), read(4, 5, 0)],
    "a read of what nobody wrote": [write(1, 2, 1), read(3, 4, 5)],
    "a read of what is written later": [read(1, 2, 1), write(3, 4, 1)],
    "a lost write": [write(1, 2, 1), write(3, 4, 2), read(5, 6, 1)],
    "two readers see two orders": [
        *(write(1, 9, 1), write(1, 9, 2)),
        *(read(2, 3, 1), read(4, 5, 2), read(6, 7, 1)),
    ],
    "both swaps win": [swap(1, 5, 1, old=0), swap(2, 6, 2, old=0)],
    "an unknown write is seen and then not": [write(1, None, 1), read(5, 6, 1), read(7, 8, 0)],
    "an unknown write is seen before its call": [read(1, 2, 1), write(3, None, 1)],
    "an unknown write happens twice": [write(1, None, 1), read(2, 3, 1), write(4, 5, 2), read(6, 7, 1)],
    "looks in the wrong order": [write(2, 3, 1), look_twice(1, 4, 1, 0)],
    "looks too late": [write(1, 2, 1), look_twice(3, 4, 0, 1)],
    "decides on what is over": [write(1, 2, 1), look_and_write(3, 6, 0, 2)],
    "neither of two ways": [write(1, 2, 2), either(3, 4, 0, 1)],
}


@pytest.mark.parametrize("history", ACCEPTED.values(), ids=ACCEPTED)
def test_accepted(history: list[Operation]) -> None:
    assert refute(0, history) is None


@pytest.mark.parametrize("history", REJECTED.values(), ids=REJECTED)
def test_rejected(history: list[Operation]) -> None:
    assert refute(0, history) is not None


def test_a_refutation_says_what_was_answered() -> None:
    history = [write(1, 2, 1), write(3, 4, 2), write(5, 9, 3), read(6, 7, 1)]
    found = refute(0, history)
    assert isinstance(found, Refuted)
    assert found.operation is history[3]
    assert found.meanwhile == [history[2]]
    assert found.states == [2]
    assert "read 1" in str(found)


def test_too_many_possibilities_are_no_verdict() -> None:
    crowd = [Operation(1, 100, (Way((), lambda state, n=n: (*state, n)),), "add") for n in range(9)]
    with pytest.raises(Undecided):
        refute((), [*crowd, read(2, 3, "never")])


def random_history(random: Random) -> list[Operation]:
    """Up to six operations at once, on a value that is 0 at first."""
    history = []
    for _ in range(random.randint(2, 6)):
        called = random.randint(0, 12)
        returned = None if random.random() < 0.15 else called + random.randint(1, 8)
        value, other = random.randint(0, 2), random.randint(0, 2)
        kinds = [read, read, write, partial(swap, old=other)]
        history.append(random.choice(kinds)(called, returned, value))
    return history


def explained_by_some_order(history: list[Operation]) -> bool:
    """The definition itself: all orders of all that returned and any of what did not."""
    known = [each for each in history if each.returned is not None]
    unknown = [each for each in history if each.returned is None]
    chosen = [
        [*known, *(each for place, each in enumerate(unknown) if bits >> place & 1)]
        for bits in range(2 ** len(unknown))
    ]
    return any(in_time(order) and runs(order) for some in chosen for order in permutations(some))


def in_time(order: tuple[Operation, ...]) -> bool:
    return not any(
        later.returned is not None and later.returned < earlier.called
        for place, earlier in enumerate(order)
        for later in order[place + 1 :]
    )


def runs(order: tuple[Operation, ...]) -> bool:
    state: object = 0
    for operation in order:
        (way,) = operation.ways
        if way.change is None:
            if not way.looks[0](state):
                return False
        elif (state := way.change(state)) is None:
            return False
    return True


def test_it_agrees_with_trying_all_orders() -> None:
    random, verdicts = Random(6), []
    for _ in range(1500):
        history = random_history(random)
        expected = explained_by_some_order(history)
        assert (refute(0, history) is None) == expected, [each.told for each in history]
        verdicts.append(expected)
    assert 300 < sum(verdicts) < 1200
