"""What answers look like that differ in their bodies only, learned from one that Flask gave."""

from collections.abc import Hashable
from typing import Any, Final, NamedTuple

from app.server.hot.replies import Reply, cut

MOST_SHAPES: Final = 100


class Shape(NamedTuple):
    """The head of an answer without date, length of the body and request id, and the template of the route."""

    status: int
    before: bytes
    begin: bytes
    end: bytes
    after: bytes
    route: str

    def reply(self, body: bytes, *, principal: str, warehouse: str) -> Reply:
        middle = b"%sContent-Length: %d%s" % (self.begin, len(body), self.end)
        return Reply(
            self.status,
            (self.before, middle, self.after),
            body,
            etag=None,
            route=self.route,
            principal=principal,
            warehouse=warehouse,
            error=None,
        )


class Shapes:
    """Shapes of one worker, by what may make a difference to a head.

    :param status: only answers with this one are learned from
    """

    def __init__(self, status: int) -> None:
        self._status = status
        self._known: dict[Hashable, Shape] = {}

    def find(self, key: Hashable) -> "Shape | Learning":
        return self._known.get(key) or Learning(self, key)

    def learn(self, key: Hashable, status: int, head: str, length: int, environ: dict[str, Any]) -> None:
        pieces = cut(head, str(environ["bingsan.request_id"])) if status == self._status else None
        if pieces is None:
            return
        begin, found, end = pieces[1].partition(b"Content-Length: %d\r\n" % length)
        if not found:
            return
        if len(self._known) >= MOST_SHAPES:
            self._known.clear()
        route = environ["bingsan.route"]
        self._known[key] = Shape(status, pieces[0], begin, b"\r\n" + end, pieces[2], route)


class Learning(NamedTuple):
    """Flask has to be asked, and its answer shows what such answers look like."""

    shapes: Shapes
    key: Hashable

    def environ(self) -> dict[str, Any]:
        """What the application is told."""
        return {}

    def keep(self, status: int, head: str, body: bytes, environ: dict[str, Any], _etag: str | None) -> None:
        """Learn from an answer.

        :param head: the status line and the headers as they were sent, up to the empty line
        """
        self.shapes.learn(self.key, status, head, len(body), environ)
