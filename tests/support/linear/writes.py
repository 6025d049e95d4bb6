"""What the answer of a write says about a world.

A write whose outcome is unknown may have had its effect, at any time, or never. A commit names its table at one moment
and changes it at a later one: meanwhile its namespace may get another name (docs/changes.md).
"""

from collections.abc import Callable, Iterable

from tests.support.linear.checker import Change, Look, Way
from tests.support.linear.events import Event, own
from tests.support.linear.reads import Ways, once
from tests.support.linear.world import TAG, WHOLE, Properties, Thing, World, with_property


def changing(change: Change, *looks: Look) -> Ways:
    return (Way(looks, change),)


def refused(event: Event, **by_error: Look) -> Ways:
    """One of the errors that the write may be refused with, each with what it says."""
    return once(by_error[event.error])


def ways_of_create(event: Event) -> Ways:
    asked = event.asked
    made = Thing(asked.kind, asked.tag, frozenset({(TAG, asked.tag)}))

    def change(world: World) -> World | None:
        is_free = world.space(asked.place.space) is not None and world.taken(asked.place) is None
        return world.put(asked.place, made) if is_free else None

    if event.is_unknown:
        return changing(change)
    if event.status == 200:
        assert event.thing == made, str(event)
        return changing(change)
    return refused(
        event,
        AlreadyExistsException=lambda world: world.taken(asked.place) is not None,
        NoSuchNamespaceException=lambda world: world.space(asked.place.space) is None,
    )


def ways_of_commit(event: Event) -> Ways:
    asked = event.asked

    def is_missing(world: World) -> bool:
        return world.thing(asked.place, asked.kind) is None

    def fails(world: World) -> bool:
        found = world.thing(asked.place, asked.kind)
        return found is not None and _committed(event, found) is None

    if event.is_unknown:
        return changing(lambda world: _commit_by_name(event, world))
    if event.status == 200:
        seen = event.thing
        return changing(
            lambda world: _commit_to(event, seen, world), lambda world: _is_named(event, seen, world)
        )
    missing = {"NoSuchTableException": is_missing, "NoSuchViewException": is_missing}
    return refused(event, CommitFailedException=fails, **missing)


def _is_named(event: Event, seen: Thing, world: World) -> bool:
    found = world.thing(event.asked.place, event.asked.kind)
    return found is not None and found.tag == seen.tag


def _commit_to(event: Event, seen: Thing, world: World) -> World | None:
    found = world.tagged(seen.tag)
    if found is None or found[0].name != event.asked.place.name or _committed(event, found[1]) != seen:
        return None
    return world.remove(*found).put(found[0], seen)


def _commit_by_name(event: Event, world: World) -> World | None:
    place = event.asked.place
    found = world.thing(place, event.asked.kind)
    after = None if found is None else _committed(event, found)
    return None if found is None or after is None else world.remove(place, found).put(place, after)


def _committed(event: Event, before: Thing) -> Thing | None:
    """What a commit makes of a thing; None when it was asked for on conditions that do not hold."""
    asked = event.asked
    if asked.action == "commit":
        return before._replace(properties=with_property(before.properties, asked.key, str(asked.mark)))
    assert asked.known is not None
    base = asked.known.thing
    return before._replace(main=asked.mark) if (base.tag, base.main) == (before.tag, before.main) else None


def ways_of_transact(event: Event) -> Ways:
    """Both tables or neither. Where no namespace is renamed, this is one moment."""
    asked = event.asked

    def change(world: World) -> World | None:
        for place in (asked.place, asked.to):
            found = world.thing(place, "table")
            if found is None:
                return None
            changed = with_property(found.properties, asked.key, str(asked.mark))
            world = world.remove(place, found).put(place, found._replace(properties=changed))
        return world

    if event.is_unknown or event.status == 204:
        return changing(change)
    return refused(event, NoSuchTableException=lambda world: change(world) is None)


def ways_of_drop(event: Event) -> Ways:
    asked = event.asked

    def change(world: World) -> World | None:
        found = world.thing(asked.place, asked.kind)
        return None if found is None else world.drop(asked.place, found)

    def is_missing(world: World) -> bool:
        return world.thing(asked.place, asked.kind) is None

    if event.is_unknown or event.status == 204:
        return changing(change)
    return refused(event, NoSuchTableException=is_missing, NoSuchViewException=is_missing)


def ways_of_rename(event: Event) -> Ways:
    asked = event.asked

    def is_there(world: World) -> bool:
        return world.thing(asked.place, asked.kind) is not None

    def change(world: World) -> World | None:
        found = world.thing(asked.place, asked.kind)
        if found is None or world.space(asked.to.space) is None or world.taken(asked.to) is not None:
            return None
        return world.remove(asked.place, found).put(asked.to, found)

    def is_missing(world: World) -> bool:
        return not is_there(world)

    if event.is_unknown or event.status == 204:
        return changing(change)
    if event.error == "NoSuchNamespaceException":
        return (Way((lambda world: world.space(asked.to.space) is None, is_there)),)
    return refused(
        event,
        NoSuchTableException=is_missing,
        NoSuchViewException=is_missing,
        AlreadyExistsException=lambda world: is_there(world) and world.taken(asked.to) is not None,
    )


def ways_of_create_space(event: Event) -> Ways:
    asked, space = event.asked, event.asked.place.space
    made: Properties = frozenset({(TAG, asked.tag)})

    def change(world: World) -> World | None:
        return world.put_space(space, made) if world.space(space) is None else None

    if event.is_unknown or event.status == 200:
        assert event.is_unknown or own(event.json()["properties"]) == made, str(event)
        return changing(change)
    return refused(event, AlreadyExistsException=lambda world: world.space(space) is not None)


def ways_of_update_space(event: Event) -> Ways:
    asked, space = event.asked, event.asked.place.space

    def change(world: World) -> World | None:
        found = world.space(space)
        if found is None:
            return None
        return world.put_space(space, with_property(found, asked.key, str(asked.mark)))

    if event.is_unknown or event.status == 200:
        return changing(change)
    return refused(event, NoSuchNamespaceException=lambda world: world.space(space) is None)


def ways_of_rename_space(event: Event) -> Ways:
    old, new = event.asked.place.space, event.asked.to.space

    def change(world: World) -> World | None:
        found = world.space(old)
        return None if found is None or world.space(new) is not None else world.rename_space(old, new, found)

    if event.is_unknown or event.status == 204:
        return changing(change)
    return refused(
        event,
        NoSuchNamespaceException=lambda world: world.space(old) is None,
        AlreadyExistsException=lambda world: None not in (world.space(old), world.space(new)),
    )


def ways_of_drop_space(event: Event) -> Ways:
    space = event.asked.place.space

    def change(world: World) -> World | None:
        is_empty = world.space(space) is not None and world.is_empty(space)
        return world.remove_space(space) if is_empty else None

    if event.is_unknown or event.status == 204:
        return changing(change)
    return refused(
        event,
        NoSuchNamespaceException=lambda world: world.space(space) is None,
        NamespaceNotEmptyException=lambda world: not world.is_empty(space),
    )


def ways_of_grants(event: Event, tags: Iterable[str]) -> Ways:
    """A right on one thing: its name is looked up, then the right on what was found is changed.

    :param tags: all things that ever were in the world
    """
    place, kind = event.asked.place, event.asked.kind
    if not place.name:
        return _change_right(event, WHOLE)
    if event.status == 404:
        return once(lambda world: world.thing(place, kind) is None)

    def named(tag: str) -> Look:
        return lambda world: getattr(world.thing(place, kind), "tag", None) == tag

    return tuple(way._replace(looks=(named(tag),)) for tag in tags for way in _change_right(event, tag))


def _change_right(event: Event, tag: str) -> Ways:
    adds = event.asked.action == "grant"
    answered = None if event.is_unknown else bool(event.json()["privileges"])

    def change(world: World) -> World | None:
        if tag != WHOLE and world.tagged(tag) is None:
            return world
        after = world.rights | {tag} if adds else world.rights - {tag}
        is_changed = after != world.rights
        return world._replace(rights=after) if answered in (None, is_changed) else None

    return changing(change)


def ways_of_membership(event: Event) -> Ways:
    """A member of the world's role may load everything."""
    adds = event.asked.action == "join"

    def change(world: World) -> World | None:
        if adds:
            return world._replace(rights=world.rights | {WHOLE})
        return world._replace(rights=world.rights - {WHOLE}) if WHOLE in world.rights else None

    if event.is_unknown or event.status == 204:
        return changing(change)
    assert event.asked.action == "leave", str(event)
    return refused(event, NotFoundException=lambda world: WHOLE not in world.rights)


WRITES: dict[str, Callable[[Event], Ways]] = {
    "create": ways_of_create,
    "commit": ways_of_commit,
    "append": ways_of_commit,
    "transact": ways_of_transact,
    "rename": ways_of_rename,
    "drop": ways_of_drop,
    "create_space": ways_of_create_space,
    "update_space": ways_of_update_space,
    "rename_space": ways_of_rename_space,
    "drop_space": ways_of_drop_space,
    "join": ways_of_membership,
    "leave": ways_of_membership,
}
GRANTS = frozenset({"grant", "revoke"})
