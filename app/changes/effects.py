"""What a change touches, and what an answer depends on.

Both are said in tags: an answer holds until one of its tags is touched.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from app.db.snapshots import ChangeRow

Tag = tuple[object, ...]
READS: Final = "bingsan.reads"
"""Where the WSGI environ of a request whose answer may be kept has its ``Reads``."""

LISTED: Final = ("table", "view", "function", "namespace")


class Reads:
    """What the answer at hand was made of; ``is_kept`` when it may be given again until a tag is touched."""

    def __init__(self) -> None:
        self.tags: set[Tag] = set()
        self.is_kept = False

    def read(self, kind: str, object_id: int) -> None:
        """An object was read by its name; ``kind`` is ``tabular`` or ``namespace``."""
        self.tags.add((kind, object_id))

    def missed(self, warehouse_id: int, namespace: Sequence[str], name: str | None = None) -> None:
        """Nothing had this name; without ``name`` no namespace had."""
        self.tags.add(_name(warehouse_id, namespace, name))

    def listed(self, kind: str, warehouse_id: int, namespace: Sequence[str]) -> None:
        """What lies in a namespace was listed; ``kind`` is one of ``LISTED``."""
        self.tags.add(_list(kind, warehouse_id, namespace))

    def judged(self, warehouse_id: int) -> None:
        """Rights on parts of the warehouse decided, which depend on what there is and who created it."""
        self.tags.add(_structure(warehouse_id))

    def refuse(self) -> None:
        """The answer is good for this request only."""
        self.is_kept = False


class Untraced(Reads):
    """For requests whose answers nobody keeps."""

    def read(self, kind: str, object_id: int) -> None: ...

    def missed(self, warehouse_id: int, namespace: Sequence[str], name: str | None = None) -> None: ...

    def listed(self, kind: str, warehouse_id: int, namespace: Sequence[str]) -> None: ...

    def judged(self, warehouse_id: int) -> None: ...


UNTRACED: Final = Untraced()


def touched(changes: Iterable[ChangeRow]) -> frozenset[Tag] | None:
    """Return the tags that changes touch; None for all there are."""
    tags: set[Tag] = set()
    for change in changes:
        effect = _EFFECTS.get(change.action)
        if effect is None:
            return None
        tags.update(effect(change))
    return frozenset(tags)


def _rewritten(change: ChangeRow) -> Iterable[Tag]:
    kind = "namespace" if change.action.startswith("namespace.") else "tabular"
    yield kind, change.object_id


def _tabular_added(change: ChangeRow) -> Iterable[Tag]:
    yield _name(change.warehouse_id, change.namespace, change.name)
    yield from _around(change.action.partition(".")[0], change.warehouse_id, change.namespace)


def _tabular_removed(change: ChangeRow) -> Iterable[Tag]:
    yield "tabular", change.object_id
    yield from _around(change.action.partition(".")[0], change.warehouse_id, change.namespace)


def _tabular_renamed(change: ChangeRow) -> Iterable[Tag]:
    yield from _tabular_removed(change)
    namespace = change.details["namespace"]
    yield _name(change.warehouse_id, namespace, change.details["name"])
    yield from _around(change.action.partition(".")[0], change.warehouse_id, namespace)


def _namespace_added(change: ChangeRow) -> Iterable[Tag]:
    yield _name(change.warehouse_id, change.namespace, None)
    yield from _around("namespace", change.warehouse_id, change.namespace[:-1])


def _namespace_removed(change: ChangeRow) -> Iterable[Tag]:
    yield "namespace", change.object_id
    yield from (_list(kind, change.warehouse_id, change.namespace) for kind in LISTED)
    yield from _around("namespace", change.warehouse_id, change.namespace[:-1])


def _function_changed(change: ChangeRow) -> Iterable[Tag]:
    yield from _around("function", change.warehouse_id, change.namespace)


def _nothing(_change: ChangeRow) -> Iterable[Tag]:
    return ()


def _around(kind: str, warehouse_id: int | None, namespace: Sequence[str]) -> Iterable[Tag]:
    yield _list(kind, warehouse_id, namespace)
    yield _structure(warehouse_id)


def _name(warehouse_id: int | None, namespace: Sequence[str], name: str | None) -> Tag:
    return "name", warehouse_id, tuple(namespace), name


def _list(kind: str, warehouse_id: int | None, namespace: Sequence[str]) -> Tag:
    return "list", kind, warehouse_id, tuple(namespace)


def _structure(warehouse_id: int | None) -> Tag:
    return "structure", warehouse_id


# Whatever is not here touches everything: warehouses, rights, the rename of a namespace.
_EFFECTS: Final[dict[str, Callable[[ChangeRow], Iterable[Tag]]]] = {
    "table.committed": _rewritten,
    "view.replaced": _rewritten,
    "table.created": _tabular_added,
    "view.created": _tabular_added,
    "table.undropped": _tabular_added,
    "view.undropped": _tabular_added,
    "table.dropped": _tabular_removed,
    "view.dropped": _tabular_removed,
    "table.renamed": _tabular_renamed,
    "view.renamed": _tabular_renamed,
    "table.protected": _rewritten,
    "table.unprotected": _rewritten,
    "view.protected": _rewritten,
    "view.unprotected": _rewritten,
    "table.purged": _nothing,
    "table.expired": _nothing,
    "view.expired": _nothing,
    "namespace.created": _namespace_added,
    "namespace.updated": _rewritten,
    "namespace.dropped": _namespace_removed,
    "namespace.protected": _rewritten,
    "namespace.unprotected": _rewritten,
    "namespace.drop-requested": _nothing,
    "function.created": _function_changed,
    "function.dropped": _function_changed,
    "job.cancelled": _nothing,
}
