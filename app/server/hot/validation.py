"""Makes sure that what a worker remembers still holds, once for all requests that wait."""

from collections.abc import Callable

import gevent
from gevent.event import Event

from app.changes.effects import Tag, touched
from app.db.snapshots import Snapshots, SnapshotUnknown
from app.observability.logs import get_logger

log = get_logger("cache")
Waiter = Callable[[int | None], None]


class Validation:
    """Asks the database what was committed, tells ``evict``, and lets those go on who wait.

    Only answers to questions count that were sent after a request came: what was committed, and answered for, before
    it began is always seen by it.

    :param evict: gets the tags that were touched; None for all
    :param is_blind: evicts nothing, to show that the tests would notice
    """

    def __init__(
        self, snapshots: Snapshots, evict: Callable[[frozenset[Tag] | None], None], *, is_blind: bool = False
    ) -> None:
        self._snapshots = snapshots
        self._evict = evict
        self._is_blind = is_blind
        self._waiting: list[Waiter] = []
        self._wake = Event()
        self._version = 0
        self._greenlet: gevent.Greenlet | None = None

    def start(self) -> None:
        self._greenlet = gevent.spawn(self._run)

    def close(self) -> None:
        if self._greenlet is not None:
            self._greenlet.kill(block=False)

    def submit(self, waiter: Waiter) -> None:
        """Have ``waiter`` called with the ``security_version`` that holds, None when the database cannot say.

        It runs in the greenlet of this object, so it must not wait for anything itself. May be called in the hub.
        """
        self._waiting.append(waiter)
        self._wake.set()

    def _run(self) -> None:
        while True:
            self._wake.wait()
            self._wake.clear()
            waiting, self._waiting = self._waiting, []
            version = self._validated()
            if version is None:  # who came meanwhile need not wait for a silent database as long again
                waiting, self._waiting = waiting + self._waiting, []
                self._wake.clear()
            for waiter in waiting:
                try:
                    waiter(version)
                except Exception as error:  # noqa: BLE001 - the others must not wait for ever
                    log.error("answer not given", error=error)

    def _validated(self) -> int | None:
        try:
            return self._look()
        except SnapshotUnknown as error:
            log.debug("nothing remembered holds", reason=str(error))
        except Exception as error:  # noqa: BLE001 - without this greenlet nobody would be answered any more
            log.error("changes not understood", error=error)
        self._evict(None)
        return None

    def _look(self) -> int:
        seen = self._snapshots.look()
        if seen is None:
            return self._version
        if not self._is_blind:
            is_secure = seen.security_version == self._version
            self._evict(touched(seen.changes) if is_secure and seen.changes is not None else None)
        self._version = seen.security_version
        return self._version
