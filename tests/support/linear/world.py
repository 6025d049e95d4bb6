"""What a small part of a catalog is: a namespace that stays, namespaces in it, tables and views in these.

A world is touched by nothing outside of it, so its history can be judged by itself.
"""

from typing import NamedTuple, Self

Properties = frozenset[tuple[str, str]]
TAG = "made"
WHOLE = "*"


class Thing(NamedTuple):
    """A table or view. ``tag`` says which one it is, whatever it is called; ``main`` is the snapshot of that branch."""

    kind: str
    tag: str
    properties: Properties
    main: int | None = None

    def with_property(self, key: str, value: str) -> Self:
        return self._replace(properties=with_property(self.properties, key, value))


class Place(NamedTuple):
    """Where a table or view is."""

    space: str
    name: str


class World(NamedTuple):
    """``rights`` has the tags of the things that the reader may load; with ``WHOLE`` it may load everything."""

    spaces: frozenset[tuple[str, Properties]] = frozenset()
    things: frozenset[tuple[Place, Thing]] = frozenset()
    rights: frozenset[str] = frozenset()

    def space(self, name: str) -> Properties | None:
        return next((found for called, found in self.spaces if called == name), None)

    def taken(self, place: Place) -> Thing | None:
        """Tables and views share their names."""
        return next((thing for found, thing in self.things if found == place), None)

    def thing(self, place: Place, kind: str) -> Thing | None:
        found = self.taken(place)
        return found if found is not None and found.kind == kind else None

    def tagged(self, tag: str) -> tuple[Place, Thing] | None:
        return next((each for each in self.things if each[1].tag == tag), None)

    def names(self, space: str, kind: str) -> frozenset[str]:
        return frozenset(at.name for at, thing in self.things if at.space == space and thing.kind == kind)

    def is_empty(self, space: str) -> bool:
        return all(place.space != space for place, _ in self.things)

    def granted(self, space: str | None = None) -> frozenset[tuple[Place, Thing]]:
        """The things that the reader has a right of their own on, in one of the namespaces or in all."""
        return frozenset(
            each
            for each in self.things
            if each[1].tag in self.rights and (space is None or each[0].space == space)
        )

    def put(self, place: Place, thing: Thing) -> Self:
        return self._replace(things=self.things | {(place, thing)})

    def remove(self, place: Place, thing: Thing) -> Self:
        return self._replace(things=self.things - {(place, thing)})

    def drop(self, place: Place, thing: Thing) -> Self:
        return self.remove(place, thing)._replace(rights=self.rights - {thing.tag})

    def put_space(self, name: str, properties: Properties) -> Self:
        kept = {each for each in self.spaces if each[0] != name}
        return self._replace(spaces=frozenset(kept | {(name, properties)}))

    def remove_space(self, name: str) -> Self:
        return self._replace(spaces=frozenset(each for each in self.spaces if each[0] != name))

    def rename_space(self, old: str, new: str, properties: Properties) -> Self:
        moved = {(at._replace(space=new) if at.space == old else at, thing) for at, thing in self.things}
        return self.remove_space(old).put_space(new, properties)._replace(things=frozenset(moved))


def with_property(properties: Properties, key: str, value: str) -> Properties:
    return frozenset({**dict(properties), key: value}.items())
