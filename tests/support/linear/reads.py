"""What the answer of a read says about a world.

The administrator's reads look once. The reader's look twice where the service does: for the right first, for the thing
a moment later; documented as such in docs/reliability.md.
"""

from collections.abc import Callable

from tests.support.linear.checker import Look, Way
from tests.support.linear.events import Event, own
from tests.support.linear.world import WHOLE, World

Ways = tuple[Way, ...]


def once(look: Look) -> Ways:
    return (Way((look,)),)


def may_all(world: World) -> bool:
    return WHOLE in world.rights


def may_not_all(world: World) -> bool:
    return WHOLE not in world.rights


def ways_of_load(event: Event) -> Ways:
    asked = event.asked
    if event.status == 404:
        return _hidden(event, lambda world: world.thing(asked.place, asked.kind) is None)
    assert event.status in {200, 304}, str(event)
    seen = event.thing
    return _shown(event, seen.tag, lambda world: world.thing(asked.place, asked.kind) == seen)


def ways_of_has(event: Event) -> Ways:
    asked = event.asked

    def is_missing(world: World) -> bool:
        return world.thing(asked.place, asked.kind) is None

    def is_granted(world: World) -> bool:
        found = world.thing(asked.place, asked.kind)
        return found is not None and found.tag in world.rights

    if event.status == 404:
        return _hidden(event, is_missing)
    assert event.status == 204, str(event)
    there: Look = lambda world: not is_missing(world)  # noqa: E731
    return _either(event, (may_all, there), (is_granted, there)) if asked.reader else once(there)


def _hidden(event: Event, is_missing: Look) -> Ways:
    """A thing is not there, or the reader has neither right on it."""
    asked = event.asked

    def is_not_granted(world: World) -> bool:
        found = world.thing(asked.place, asked.kind)
        return found is None or found.tag not in world.rights

    if not asked.reader:
        return once(is_missing)
    return _either(event, (is_missing,), (may_not_all, is_not_granted))


def _shown(event: Event, tag: str, is_as_seen: Look) -> Ways:
    if not event.asked.reader:
        return once(is_as_seen)
    return _either(event, (may_all, is_as_seen), (lambda world: tag in world.rights, is_as_seen))


def ways_of_list(event: Event) -> Ways:
    asked, space, kind = event.asked, event.asked.place.space, event.asked.kind

    def is_missing(world: World) -> bool:
        return world.space(space) is None

    def shown(world: World) -> frozenset[str]:
        return frozenset(at.name for at, thing in world.granted(space) if thing.kind == kind)

    def nothing_granted(world: World) -> bool:
        return not world.granted(space)

    if event.status == 404:
        return (
            _either(event, (is_missing,), (may_not_all, nothing_granted))
            if asked.reader
            else once(is_missing)
        )
    assert event.status == 200, str(event)
    names = frozenset(each["name"] for each in event.json()["identifiers"])

    def all_listed(world: World) -> bool:
        return not is_missing(world) and world.names(space, kind) == names

    if not asked.reader:
        return once(all_listed)
    some: tuple[Look, ...] = (may_not_all, lambda world: not is_missing(world) and shown(world) == names)
    if not names:
        some = (*some, lambda world: not nothing_granted(world))
    return _either(event, (may_all, all_listed), some)


def ways_of_list_spaces(event: Event) -> Ways:
    def nothing_granted(world: World) -> bool:
        return not world.granted()

    if event.status == 404:
        return _either(event, (may_not_all, nothing_granted))
    assert event.status == 200, str(event)
    names = frozenset(levels[-1] for levels in event.json()["namespaces"])

    def all_listed(world: World) -> bool:
        return frozenset(name for name, _ in world.spaces) == names

    if not event.asked.reader:
        return once(all_listed)
    some: tuple[Look, ...] = (
        may_not_all,
        lambda world: frozenset(at.space for at, _ in world.granted()) == names,
    )
    if not names:
        some = (*some, lambda world: not nothing_granted(world))
    return _either(event, (may_all, all_listed), some)


def ways_of_load_space(event: Event) -> Ways:
    space = event.asked.place.space

    def there(world: World) -> bool:
        return world.space(space) is not None

    def granted(world: World) -> bool:
        return bool(world.granted(space))

    if event.status == 403:
        return _either(event, (may_not_all, there, granted))
    if event.status == 404:
        return _no_space(event)
    assert event.status == 200, str(event)
    properties = own(event.json()["properties"])

    def is_as_seen(world: World) -> bool:
        return world.space(space) == properties

    return _either(event, (may_all, is_as_seen)) if event.asked.reader else once(is_as_seen)


def ways_of_has_space(event: Event) -> Ways:
    space = event.asked.place.space

    def there(world: World) -> bool:
        return world.space(space) is not None

    if event.status == 404:
        return _no_space(event)
    assert event.status == 204, str(event)
    granted: Look = lambda world: bool(world.granted(space))  # noqa: E731
    return _either(event, (may_all, there), (there, granted, there)) if event.asked.reader else once(there)


def _no_space(event: Event) -> Ways:
    space = event.asked.place.space

    def is_missing(world: World) -> bool:
        return world.space(space) is None

    if not event.asked.reader:
        return once(is_missing)
    return _either(event, (is_missing,), (may_not_all, lambda world: not world.granted(space)))


def _either(event: Event, *alternatives: tuple[Look, ...]) -> Ways:
    assert event.asked.reader, str(event)
    return tuple(map(Way, alternatives))


READS: dict[str, Callable[[Event], Ways]] = {
    "load": ways_of_load,
    "has": ways_of_has,
    "list": ways_of_list,
    "load_space": ways_of_load_space,
    "has_space": ways_of_has_space,
    "list_spaces": ways_of_list_spaces,
}
