"""Connections that wait for their clients without a greenlet, and answer on the event loop what is known already."""

import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, Final, Protocol

import gevent
from gevent import get_hub
from gevent.event import Event
from gevent.server import StreamServer

from app.config import ServerSettings
from app.errors import ServiceError
from app.observability.logs import get_logger
from app.observability.metrics import metrics
from app.observability.request_ids import accept_request_id
from app.server.connections import readable
from app.server.hot.creations import Asked, Outcome
from app.server.hot.heads import Head
from app.server.hot.replies import Reply
from app.server.hot.way import Fill, HotWay, record
from app.server.refusal import record as record_refusal
from app.server.refusal import refusal

log = get_logger("server")
_PIECE: Final = 65_536
_BODY_PATIENCE: Final = 1.0
"""Seconds after which a body that is late is gunicorn's to wait for."""
_APART: Final = 16_384
"""Bodies above this are not copied behind their heads."""


class Lane:
    """One connection.

    ``deadline`` is when it ends if its client says nothing; ``is_busy`` while it waits for an answer, ``is_parked``
    while nobody looks whether the client sends something. ``data`` is what was read of a request that is not answered.
    """

    __slots__ = (
        "address",
        "client",
        "data",
        "deadline",
        "head",
        "is_busy",
        "is_fresh",
        "is_parked",
        "listener_name",
        "peer",
        "raw",
        "started",
        "watcher",
    )

    def __init__(self, listener_name: Any, client: Any, address: Any, deadline: float) -> None:
        self.listener_name = listener_name
        self.client = client
        self.address = address
        self.peer = str(address[0])
        self.raw = client._sock  # gevent's own methods wait
        self.deadline = deadline
        self.is_fresh = True
        self.is_busy = self.is_parked = False
        self.data = b""
        self.head: Head | None = None
        self.started = 0.0
        self.watcher: Any = None


class Keeper(Protocol):
    """What wants to know the answer that the ordinary way gives; ``environ`` is what the application is told."""

    def environ(self) -> dict[str, Any]: ...

    def keep(
        self, status: int, head: str, body: bytes, environ: dict[str, Any], etag: str | None
    ) -> None: ...


Stock = Callable[[Lane, bytes, Keeper | None], bool]
"""Answers a request, and what was sent behind it, the ordinary way; tells whether the connection may stay. Waits."""


class Lanes:
    """All plain connections of a worker.

    :param alive: whether the worker still takes requests on connections that stay
    """

    def __init__(
        self, way: HotWay, stock: Stock, settings: ServerSettings, alive: Callable[[], bool]
    ) -> None:
        self._way = way
        self._stock = stock
        self._most = settings.worker_connections
        self._patience = settings.keep_alive
        self._fresh_patience = max(settings.keep_alive, settings.read_timeout)
        self._write_timeout = settings.write_timeout
        self._alive = alive
        self._lanes: set[Lane] = set()
        self._greenlets: set[gevent.Greenlet] = set()
        self._servers: list[Listener] = []
        self._is_empty = Event()

    def __len__(self) -> int:
        return len(self._lanes)

    @property
    def is_full(self) -> bool:
        return len(self._lanes) >= self._most

    def listen(self, listener: Any) -> StreamServer:
        """Return what accepts connections, not yet started."""
        server = Listener(listener, self)
        self._servers.append(server)
        return server

    def join(self, seconds: float) -> None:
        """Wait until there is no connection left, at most so long."""
        self._is_empty.clear()
        if self._lanes:
            self._is_empty.wait(seconds)

    def open(self, listener_name: Any, client: Any, address: Any) -> None:
        """Take a new connection. Runs on the hub."""
        lane = Lane(listener_name, client, address, time.monotonic() + self._fresh_patience)
        self._lanes.add(lane)
        lane.watcher = get_hub().loop.io(lane.raw.fileno(), 1)
        lane.watcher.start(self._readable, lane)

    def reap(self) -> None:
        """End connections whose clients have said nothing for too long."""
        now = time.monotonic()
        for lane in [lane for lane in self._lanes if lane.deadline < now and self._is_idle(lane)]:
            self._give_up(lane)

    def close_idle(self, *, fresh: bool) -> None:
        """End connections that wait and have nothing to read; ``fresh`` also those that never sent anything."""
        for lane in list(self._lanes):
            if self._is_idle(lane) and (fresh or not lane.is_fresh):
                self._give_up(lane)

    def kill(self) -> None:
        """End all that is left."""
        gevent.killall(list(self._greenlets), block=True, timeout=1)
        for lane in list(self._lanes):
            self._close(lane)

    def _is_idle(self, lane: Lane) -> bool:
        return not lane.is_busy and not lane.is_parked

    def _give_up(self, lane: Lane) -> None:
        """Wait no longer for a client; the rest of what it has begun to send is gunicorn's to wait for."""
        if lane.data:
            self._hand_over(lane, lane.data, None)
        elif not readable(lane.raw):
            self._close(lane)

    # -- on the hub: nothing here may wait ------------------------------------------------------

    def _readable(self, lane: Lane) -> None:
        try:
            self._read(lane)
        except Exception as error:  # noqa: BLE001 - on the hub nobody else would end the connection
            log.error("connection ended", error=error)
            self._close(lane)

    def _read(self, lane: Lane) -> None:
        if lane.is_busy:  # more comes, or the client leaves, while it waits: look later
            self._park(lane)
            return
        try:
            data = lane.raw.recv(_PIECE)
        except BlockingIOError:
            return
        except OSError as error:
            log.debug("connection lost", error=str(error))
            self._close(lane)
            return
        if not data:
            self._close(lane)
            return
        lane.started = time.perf_counter()
        if lane.data:
            data = lane.data + data
        head = self._way.heads.read(data) if self._alive() else None
        if head is None:
            self._read_creation(lane, data)
            return
        self._take(lane, data, head)
        if head.is_probe:
            self._go_on(lane, self._way.probe(head, lane.peer))
            return
        metrics.requests_in_progress.values[()] += 1
        self._way.validation.submit(partial(self._validated, lane))

    def _read_creation(self, lane: Lane, data: bytes) -> None:
        found = self._way.heads.read_creation(data) if self._alive() else None
        if found is None:
            self._hand_over(lane, data, None)
            return
        head, body = found
        if len(body) < head.length:  # many clients send the head by itself
            lane.is_fresh, lane.data = False, data
            lane.deadline = time.monotonic() + _BODY_PATIENCE
            return
        self._take(lane, data, head)
        metrics.requests_in_progress.values[()] += 1
        request_id = accept_request_id(head.request_id)
        answer = partial(self._created, lane, request_id)
        self._way.creations.submit(Asked(head, body, lane.peer, request_id, answer))

    def _take(self, lane: Lane, data: bytes, head: Head) -> None:
        lane.is_busy, lane.is_fresh = True, False
        lane.data, lane.head = data, head

    def _park(self, lane: Lane) -> None:
        lane.watcher.stop()
        lane.is_parked = True

    def _validated(self, lane: Lane, version: int | None) -> None:
        metrics.requests_in_progress.values[()] -= 1
        if lane not in self._lanes:
            return
        head = lane.head
        assert head is not None
        try:
            self._go_on(lane, self._way.find(head, version, lane.peer) if self._alive() else None)
        except Exception:
            self._close(lane)
            raise

    def _created(self, lane: Lane, request_id: str, outcome: Outcome) -> None:
        metrics.requests_in_progress.values[()] -= 1
        if lane not in self._lanes:
            return
        lane.is_busy = False
        if isinstance(outcome, Reply):
            self._send(lane, outcome, request_id)
        elif isinstance(outcome, ServiceError):
            self._refuse(lane, outcome, request_id)
        else:
            self._hand_over(lane, lane.data, outcome)

    def _refuse(self, lane: Lane, error: ServiceError, request_id: str) -> None:
        head = lane.head
        assert head is not None
        with suppress(OSError):
            lane.raw.send(refusal(error, request_id))
        seconds = time.perf_counter() - lane.started
        client = self._way.client_address(head, lane.peer)
        record_refusal(head, error, request_id, seconds, client)
        self._close(lane)

    def _go_on(self, lane: Lane, found: Reply | Fill | None) -> None:
        head = lane.head
        assert head is not None
        lane.is_busy = False
        if isinstance(found, Reply):
            self._send(lane, found, accept_request_id(head.request_id))
        else:
            self._hand_over(lane, lane.data, found)

    def _send(self, lane: Lane, reply: Reply, request_id: str) -> None:
        begin = self._way.head_of(reply, request_id)
        size = len(begin) + len(reply.body)
        try:
            if len(reply.body) <= _APART:
                sent = lane.raw.send(begin + reply.body)
            else:
                sent = lane.raw.sendmsg((begin, reply.body))
        except BlockingIOError:
            sent = 0
        except OSError as error:
            log.debug("connection lost", error=str(error))
            self._close(lane)
            return
        if sent < size:
            lane.is_busy = True
            self._spawn(self._send_rest, lane, _behind(sent, begin, reply.body), reply, request_id)
            return
        self._sent(lane, reply, request_id)

    def _sent(self, lane: Lane, reply: Reply, request_id: str) -> None:
        head = lane.head
        assert head is not None
        seconds = time.perf_counter() - lane.started
        record(head, reply, request_id, seconds, self._way.client_address(head, lane.peer))
        self._wait(lane)

    def _wait(self, lane: Lane) -> None:
        """Have the lane wait for its next request."""
        lane.is_busy = False
        lane.data, lane.head = b"", None
        lane.deadline = time.monotonic() + self._patience
        if lane.is_parked:
            lane.is_parked = False
            lane.watcher.start(self._readable, lane)

    def _hand_over(self, lane: Lane, data: bytes, fill: Keeper | None) -> None:
        if not lane.is_parked:
            self._park(lane)
        lane.is_busy, lane.is_fresh, lane.data = True, False, b""
        self._spawn(self._serve, lane, data, fill)

    def _spawn(self, act: Callable[..., None], lane: Lane, *arguments: Any) -> None:
        greenlet = gevent.Greenlet(self._guarded, act, lane, *arguments)
        self._greenlets.add(greenlet)
        greenlet.link(self._greenlets.discard)
        greenlet.start()

    def _close(self, lane: Lane) -> None:
        if lane not in self._lanes:
            return
        self._lanes.remove(lane)
        if not self._lanes:
            self._is_empty.set()
        lane.watcher.stop()
        lane.watcher.close()
        with suppress(OSError):
            lane.client.close()
        for server in self._servers:
            server.go_on()

    # -- in a greenlet ---------------------------------------------------------------------------

    def _guarded(self, act: Callable[..., None], lane: Lane, *arguments: Any) -> None:
        try:
            act(lane, *arguments)
        except BaseException as error:
            if isinstance(error, OSError):
                log.debug("connection lost", error=str(error))
            self._close(lane)
            if not isinstance(error, OSError):
                raise

    def _serve(self, lane: Lane, data: bytes, fill: Keeper | None) -> None:
        if self._stock(lane, data, fill):
            self._wait(lane)
        else:
            self._close(lane)

    def _send_rest(self, lane: Lane, rest: bytes | memoryview, reply: Reply, request_id: str) -> None:
        lane.client.settimeout(self._write_timeout)
        lane.client.sendall(rest)
        self._sent(lane, reply, request_id)


def _behind(sent: int, begin: bytes, body: bytes) -> bytes | memoryview:
    """What is left to send; large bodies are not copied."""
    if sent < len(begin):
        return begin[sent:] + body
    return memoryview(body)[sent - len(begin) :]


class Listener(StreamServer):  # type: ignore[misc]
    """Accepts connections for lanes, as long as there is room."""

    def __init__(self, listener: Any, lanes: Lanes) -> None:
        super().__init__(listener, handle=lambda *_: None)
        self._lanes = lanes
        self._name = listener.getsockname()

    def full(self) -> bool:
        return self._lanes.is_full

    def do_handle(self, client: Any, address: Any) -> None:
        self._lanes.open(self._name, client, address)

    def go_on(self) -> None:
        """Accept again after there was no room."""
        if self.started and not self.full():
            self.start_accepting()
