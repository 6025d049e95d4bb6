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
    protected: bool = False


@dataclass
class State:
    """What is under each identifier, what is held after a drop, and the namespaces.

    Replaying is strict: a change that does not fit what the changes before it left is an AssertionError.
    """

    namespaces: dict[Levels, dict[str, str]] = field(default_factory=dict)
    protected: set[Levels] = field(default_factory=set)
    objects: dict[Identifier, Object] = field(default_factory=dict)
    held: dict[int, Object] = field(default_factory=dict)
    functions: dict[Identifier, int] = field(default_factory=dict)

    def apply(self, row: Row) -> None:
        if row.kind in {"warehouse", "job"}:
            return  # the warehouse itself and its chores are no part of what it holds
        verb = row.action.removeprefix(f"{row.kind}.")
        if row.kind == "namespace":
            NAMESPACE_ACTIONS[verb](self, row)
        elif row.kind == "function":
            FUNCTION_ACTIONS[verb](self, row)
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

    def rename_namespace(self, row: Row) -> None:
        """Move it with all below it; ids and locations stay."""
        source, target = row.levels, tuple(row.details["namespace"])
        assert source in self.namespaces, row
        assert target not in self.namespaces, row
        assert len(target) == 1 or target[:-1] in self.namespaces, row

        def moved(levels: Levels) -> Levels:
            return target + levels[len(source) :] if levels[: len(source)] == source else levels

        self.namespaces = {moved(levels): found for levels, found in self.namespaces.items()}
        self.protected = {moved(levels) for levels in self.protected}
        self.objects = {(moved(levels), name): found for (levels, name), found in self.objects.items()}
        self.functions = {(moved(levels), name): found for (levels, name), found in self.functions.items()}

    def protect_namespace(self, row: Row) -> None:
        assert row.levels in self.namespaces.keys() - self.protected, row
        self.protected.add(row.levels)

    def unprotect_namespace(self, row: Row) -> None:
        self.protected.remove(row.levels)

    def drop_namespace(self, row: Row) -> None:
        assert not [levels for levels in self.namespaces if levels[:-1] == row.levels], row
        assert not [levels for levels, _ in (*self.objects, *self.functions) if levels == row.levels], row
        del self.namespaces[row.levels]
        self.protected.discard(row.levels)

    def change_nothing(self, row: Row) -> None:
        """What was only asked for."""

    def create_function(self, row: Row) -> None:
        assert row.levels in self.namespaces, row
        assert row.identifier not in self.functions, row
        self.functions[row.identifier] = row.object_id

    def drop_function(self, row: Row) -> None:
        assert self.functions.pop(row.identifier) == row.object_id, row

    def create(self, row: Row) -> None:
        assert row.before is None, row
        self.put(row, Object(row.kind, row.object_id, row.after))

    def put(self, row: Row, found: Object) -> None:
        assert row.levels in self.namespaces, row
        assert row.identifier not in self.objects, row
        self.objects[row.identifier] = found

    def expect(self, row: Row) -> Object:
        """Return what is under the row's name; it has to be what the row says that it changes."""
        found = self.objects[row.identifier]
        assert found[:3] == (row.kind, row.object_id, row.before), (row, found)
        return found

    def move_pointer(self, row: Row) -> None:
        """A commit waits for nobody who renames a namespace: the id says which object it was, not the name."""
        ((identifier, found),) = [item for item in self.objects.items() if item[1].object_id == row.object_id]
        assert (identifier[1], *found[:3]) == (row.name, row.kind, row.object_id, row.before), (row, found)
        self.objects[identifier] = found._replace(pointer=row.after)

    def rename(self, row: Row) -> None:
        target = (tuple(row.details["namespace"]), row.details["name"])
        assert target[0] in self.namespaces, row
        assert target not in self.objects, row
        assert row.before == row.after, row
        found = self.expect(row)
        del self.objects[row.identifier]
        self.objects[target] = found

    def protect(self, row: Row) -> None:
        found = self.expect(row)
        assert not found.protected, row
        self.objects[row.identifier] = found._replace(protected=True)

    def unprotect(self, row: Row) -> None:
        found = self.expect(row)
        assert found.protected, row
        self.objects[row.identifier] = found._replace(protected=False)

    def drop(self, row: Row) -> None:
        found = self.expect(row)
        del self.objects[row.identifier]
        if "held-until-ms" in row.details:
            self.held[row.object_id] = found

    def undrop(self, row: Row) -> None:
        found = self.held.pop(row.object_id)
        assert found[:3] == (row.kind, row.object_id, row.after), (row, found)
        self.put(row, found)

    def expire(self, row: Row) -> None:
        assert self.held.pop(row.object_id).pointer == row.before, row


Action = Callable[[State, Row], None]
NAMESPACE_ACTIONS: dict[str, Action] = {
    "created": State.create_namespace,
    "updated": State.update_namespace,
    "renamed": State.rename_namespace,
    "protected": State.protect_namespace,
    "unprotected": State.unprotect_namespace,
    "drop-requested": State.change_nothing,
    "dropped": State.drop_namespace,
}
FUNCTION_ACTIONS: dict[str, Action] = {"created": State.create_function, "dropped": State.drop_function}
OBJECT_ACTIONS: dict[str, Action] = {
    "created": State.create,
    "committed": State.move_pointer,
    "replaced": State.move_pointer,
    "renamed": State.rename,
    "protected": State.protect,
    "unprotected": State.unprotect,
    "dropped": State.drop,
    "undropped": State.undrop,
    "expired": State.expire,
    "purged": State.change_nothing,
}
SERVED_SPACES = (
    "SELECT levels, properties::jsonb, location, protected FROM namespaces WHERE warehouse_id = %s"
)
SERVED = """SELECT n.levels, t.name, t.kind, t.id, t.metadata_location, t.protected
    FROM tabulars t JOIN namespaces n ON n.id = t.namespace_id WHERE n.warehouse_id = %s"""
FUNCTIONS = """SELECT n.levels, f.name, f.id
    FROM functions f JOIN namespaces n ON n.id = f.namespace_id WHERE n.warehouse_id = %s"""
HELD = "SELECT kind, id, metadata_location, protected FROM held_tabulars WHERE warehouse_id = %s"


def replay(rows: Iterable[Row]) -> State:
    state = State()
    for row in rows:
        state.apply(row)
    return state


def recorded(database: DatabaseAddress, warehouse_id: int) -> list[Row]:
    """Return all changes to a warehouse in order."""
    return [Row(*row) for row in database.query(QUERY, warehouse_id)]


def stored(database: DatabaseAddress, warehouse_id: int) -> State:
    """Return the state that the database is in."""
    state = State()
    for levels, properties, location, protected in database.query(SERVED_SPACES, warehouse_id):
        state.namespaces[tuple(levels)] = {**properties, "location": location}
        if protected:
            state.protected.add(tuple(levels))
    for levels, name, *found in database.query(SERVED, warehouse_id):
        state.objects[tuple(levels), name] = Object(*found)
    for levels, name, number in database.query(FUNCTIONS, warehouse_id):
        state.functions[tuple(levels), name] = number
    for found in database.query(HELD, warehouse_id):
        state.held[found[1]] = Object(*found)
    return state


def default_warehouse(database: DatabaseAddress) -> int:
    ((number,),) = database.query("SELECT id FROM warehouses WHERE is_default")
    return int(number)
