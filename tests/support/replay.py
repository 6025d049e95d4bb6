"""What the table ``changes`` says that the catalog holds.

Rows of one transaction are written while everything that they conflict with is locked, so the order of ``id`` is one in
which the changes could have happened one after the other.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tests.support.postgres import DatabaseAddress

Levels = tuple[str, ...]
Identifier = tuple[Levels, str]
COLUMNS = "action, object_kind, object_id, namespace, name, before_pointer, after_pointer, details::jsonb"
QUERY = f"SELECT {COLUMNS} FROM changes WHERE warehouse_id = %s ORDER BY id"


class Row(NamedTuple):
    """A row of ``changes``."""

    action: str
    kind: str
    object_id: int
    namespace: list[str]
    name: str | None
    before: str | None
    after: str | None
    details: dict[str, Any]

    @property
    def levels(self) -> Levels:
        return tuple(self.namespace)

    @property
    def identifier(self) -> Identifier:
        assert self.name is not None
        return self.levels, self.name


class Object(NamedTuple):
    """A table or view."""

    kind: str
    object_id: int
    pointer: str | None


@dataclass
class State:
    """Namespaces with their properties, and what is under each identifier.

    Replaying is strict: a change that does not fit what the changes before it left is an AssertionError.
    """

    namespaces: dict[Levels, dict[str, str]] = field(default_factory=dict)
    objects: dict[Identifier, Object] = field(default_factory=dict)

    def apply(self, row: Row) -> None:
        verb = row.action.removeprefix(f"{row.kind}.")
        if row.kind == "namespace":
            NAMESPACE_ACTIONS[verb](self, row)
        else:
            OBJECT_ACTIONS[verb](self, row)

    def create_namespace(self, row: Row) -> None:
        assert row.levels not in self.namespaces, row
        assert len(row.levels) == 1 or row.levels[:-1] in self.namespaces, row
        self.namespaces[row.levels] = dict(row.details["properties"])

    def update_namespace(self, row: Row) -> None:
        properties = self.namespaces[row.levels]
        for name in row.details["removed"]:
            del properties[name]
        properties |= row.details["updated"]

    def drop_namespace(self, row: Row) -> None:
        assert not [levels for levels in self.namespaces if levels[:-1] == row.levels], row
        assert not [levels for levels, _ in self.objects if levels == row.levels], row
        del self.namespaces[row.levels]

    def create(self, row: Row) -> None:
        assert row.levels in self.namespaces, row
        assert row.identifier not in self.objects, row
        assert row.before is None, row
        self.objects[row.identifier] = Object(row.kind, row.object_id, row.after)

    def move_pointer(self, row: Row) -> None:
        assert self.objects[row.identifier] == Object(row.kind, row.object_id, row.before), row
        self.objects[row.identifier] = Object(row.kind, row.object_id, row.after)

    def rename(self, row: Row) -> None:
        target = (tuple(row.details["namespace"]), row.details["name"])
        assert target[0] in self.namespaces, row
        assert target not in self.objects, row
        found = self.objects.pop(row.identifier)
        assert found == Object(row.kind, row.object_id, row.before) == found._replace(pointer=row.after), row
        self.objects[target] = found

    def drop(self, row: Row) -> None:
        assert self.objects.pop(row.identifier) == Object(row.kind, row.object_id, row.before), row


Action = Callable[[State, Row], None]
NAMESPACE_ACTIONS: dict[str, Action] = {
    "created": State.create_namespace,
    "updated": State.update_namespace,
    "dropped": State.drop_namespace,
}
OBJECT_ACTIONS: dict[str, Action] = {
    "created": State.create,
    "committed": State.move_pointer,
    "replaced": State.move_pointer,
    "renamed": State.rename,
    "dropped": State.drop,
}


def replay(rows: Iterable[Row]) -> State:
    state = State()
    for row in rows:
        state.apply(row)
    return state


def recorded(database: DatabaseAddress, warehouse_id: int) -> list[Row]:
    """Return all changes to a warehouse in order."""
    return [Row(*row) for row in database.query(QUERY, warehouse_id)]
