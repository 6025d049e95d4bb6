"""What was authorized is what is acted on: names are bound to the ids that they had when the caller's rights were
looked up, and whoever reads or locks a row by its name confirms that the name still means the same."""

from app.errors import InternalServerError, ServiceUnavailableException
from app.identifiers import Namespace, TableIdentifier

Name = Namespace | TableIdentifier | str
ANY = -1


class MeaningChanged(ServiceUnavailableException):
    """A name means something else than it did when its object was authorized. Nothing was done: authorize again."""


class AuthorizedNames:
    """The names of one request by kind (``warehouse``, ``namespace``, ``table``, ``view``), with their ids."""

    def __init__(self, *, is_open: bool = False) -> None:
        self._is_open = is_open
        self._ids: dict[tuple[str, Name], int | None] = {}

    @property
    def is_open(self) -> bool:
        """Whether nothing is asked of whoever makes the request."""
        return self._is_open

    def bind(self, kind: str, name: Name, object_id: int | None) -> None:
        """
        :param object_id: None where nothing has the name, ``ANY`` where the caller's rights do not depend on it
        :raises MeaningChanged: when it was bound to another object before
        """
        bound = self._ids.get((kind, name), ANY)
        if object_id == ANY:
            self._ids.setdefault((kind, name), ANY)
        elif bound in (ANY, object_id):
            self._ids[kind, name] = object_id
        else:
            raise changed(kind, name)

    def forget(self) -> None:
        self._ids.clear()

    def knows(self, kind: str, name: Name) -> bool:
        """Whether the request was authorized for something with this name."""
        return self._is_open or (kind, name) in self._ids

    def confirm(self, kind: str, name: Name, object_id: int | None) -> None:
        """
        :raises MeaningChanged: when the name stands for another object by now
        :raises InternalServerError: when nobody asked whether the caller may touch what has this name
        """
        if self._is_open:
            return
        if not self.knows(kind, name):
            raise InternalServerError(f"Nobody has authorized access to {kind} {name}")
        self.confirm_if_asked(kind, name, object_id)

    def confirm_if_asked(self, kind: str, name: Name, object_id: int | None) -> None:
        """As :meth:`confirm`, for names that need no rights of their own, such as that of a table to be created."""
        if self._is_open:
            return
        if self._ids.get((kind, name), ANY) not in (ANY, object_id):
            raise changed(kind, name)


def changed(kind: str, name: Name) -> MeaningChanged:
    return MeaningChanged(
        f"{kind.capitalize()} {name} was renamed or replaced at the same time; try again",
        headers={"Retry-After": "1"},
    )


UNCHECKED = AuthorizedNames(is_open=True)
"""Of those who need no rights: without authentication, and in jobs."""
