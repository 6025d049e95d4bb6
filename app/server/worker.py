"""A gevent worker of gunicorn with limits, time limits and a stop that drops no request.

Differences to the stock worker: a request is read whole before the application sees it; what never reaches
it is answered in the service's own envelope; SIGTERM ends idle connections at once instead of after their
keep-alive.
"""

import os
import socket
import time
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import gevent
from gevent.event import Event
from gevent.pool import Pool
from gevent.server import StreamServer
from gunicorn.http.errors import NoMoreData
from gunicorn.http.parser import RequestParser
from gunicorn.http.wsgi import create
from gunicorn.workers import base
from gunicorn.workers.ggevent import GeventWorker

from app.config import Settings
from app.config.certificates import Certificate
from app.errors import BadRequestException, ServiceError
from app.observability.forwarding import TrustedProxies
from app.observability.logs import get_logger
from app.observability.request_ids import accept_request_id
from app.observability.state import process
from app.server.answer import Answer
from app.server.connections import IdleConnections
from app.server.deadlines import RequestDeadline
from app.server.ending import drop_newcomers, node_end
from app.server.refusal import record, refusal, service_error
from app.server.requests import check_size, expects_body, limited_request, read_body
from app.server.tls import HANDSHAKE, Certificates, say_goodbye

if TYPE_CHECKING:  # the master must not import what gevent has to patch first
    from app.server.hot.lanes import Keeper, Lane, Lanes

log = get_logger("server")

# While the worker stops: what clients that had begun to connect need to end up in the kernel's queue;
_HANDSHAKE_SECONDS = 0.05
# how long a connection that was just opened has to send its first request;
_FRESH_SECONDS = 0.5
# how long one that served requests stays while others like it are still used (a proxy would send one more on it just
# as it closes; each of its answers closes one), and how long nobody has used any when all close at once.
_USED_SECONDS = 5.0
_QUIET_SECONDS = 1.0
_TICK_SECONDS = 0.1
_LINGER_SECONDS = 2.0
_LINGER_BYTES = 1 << 20


class Worker(GeventWorker):  # type: ignore[misc]
    """``settings`` and ``certificate`` (with TLS) are set by ``app.server.configuration`` before the master forks."""

    settings: ClassVar[Settings]
    certificate: ClassVar[Certificate | None] = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.idle = IdleConnections()
        self.certificates: Certificates | None = None
        self.request_class = limited_request(self.settings)
        self.proxies = TrustedProxies(self.settings.server.trusted_proxies)

    # -- life ----------------------------------------------------------------------------------

    def init_process(self) -> None:
        self.stopping = Event()
        super().init_process()

    def handle_exit(self, _sig: int, _frame: Any) -> None:
        process.begin_drain()
        self.stopping.set()

    def notify(self) -> None:
        base.Worker.notify(self)
        if self.ppid != os.getppid() and not self.stopping.is_set():
            log.warning("the master is gone, stopping")
            self.handle_exit(0, None)

    def run(self) -> None:
        wakeup = gevent.get_hub().loop.io(self.PIPE[0], 1)
        # gunicorn's signal handlers write here: without a reader they would run at the loop's next turn only.
        wakeup.start(partial(os.read, self.PIPE[0], 4096))
        gevent.get_hub().print_exception = _log_greenlet
        tls, pool = self.settings.server.tls, Pool(self.worker_connections)
        self.certificates = Certificates(tls, self.certificate) if self.certificate else None
        self.lanes = self._make_lanes()
        servers = [self._listen(listener, pool) for listener in self.sockets]
        while not self.stopping.is_set():
            self.notify()
            if self.certificates:
                self.certificates.refresh()
            if self.lanes is not None:
                self.lanes.reap()
            self.stopping.wait(1.0)
        self._drain(servers, pool)
        if self.lanes is not None:
            self.hot_way.close()
        wakeup.stop()

    def _make_lanes(self) -> "Lanes | None":
        """The hot way and its connections; None with TLS, without keep-alive, or where it is switched off."""
        server = self.settings.server
        if not (server.hot_path and server.keep_alive) or self.certificates:
            return None
        from app.server.hot.lanes import Lanes
        from app.server.hot.services import EXTENSION
        from app.server.hot.way import HotWay

        self.hot_way = HotWay(self.settings, self.wsgi.extensions[EXTENSION])
        self.hot_way.start()
        return Lanes(self.hot_way, self._serve_lane, server, lambda: bool(self.alive))

    def _listen(self, listener: Any, pool: Pool) -> StreamServer:
        listener.setblocking(1)
        if self.lanes is not None and listener.family != socket.AF_UNIX:
            server = self.lanes.listen(listener)
        else:
            server = StreamServer(listener, handle=partial(self.handle, listener.getsockname()), spawn=pool)
        if self.cfg.workers > 1:
            server.max_accept = 1
        server.start()
        return server

    def _drain(self, servers: list[StreamServer], pool: Pool) -> None:
        """Accept for ``server.shutdown_delay`` more, then close what is idle and wait for the rest."""
        started = time.monotonic()
        delay, limit = self.settings.server.shutdown_delay, self.settings.server.drain_timeout
        while (left := started + delay - time.monotonic()) > 0:
            self.notify()
            gevent.sleep(min(left, 1.0))
        self.alive = False
        if node_end.has_come:
            drop_newcomers(server.socket for server in servers)
            gevent.sleep(_HANDSHAKE_SECONDS)
        for server in servers:
            _accept_waiting(server)
            server.close()
        self._close_idle(pool, started + limit)
        if left := self._connections(pool):
            log.warning("requests cut at the end of server.drain_timeout", connections=left)
            pool.kill(block=True, timeout=1)
            if self.lanes is not None:
                self.lanes.kill()

    def _connections(self, pool: Pool) -> int:
        return len(pool) + (0 if self.lanes is None else len(self.lanes))

    def _close_idle(self, pool: Pool, end: float) -> None:
        """Close connections as they fall idle, until there is none or the time is up."""
        closed = used = time.monotonic()
        served = self.nr
        while self._connections(pool) and (left := end - time.monotonic()) > 0:
            self.notify()
            now = time.monotonic()
            if self.nr != served:
                served, used = self.nr, now
            if now - used >= _QUIET_SECONDS or now - closed >= _USED_SECONDS:
                self.idle.close(fresh=now - closed >= _FRESH_SECONDS)
                if self.lanes is not None:
                    self.lanes.close_idle(fresh=now - closed >= _FRESH_SECONDS)
            self._join(pool, min(left, _TICK_SECONDS))

    def _join(self, pool: Pool, seconds: float) -> None:
        """Wait until nothing is under way, at most so long."""
        if self.lanes is not None and len(self.lanes):
            self.lanes.join(seconds)
        else:
            pool.join(timeout=seconds)

    # -- one connection ------------------------------------------------------------------------

    def handle(self, listener_name: Any, client: Any, addr: Any) -> None:
        secured = client
        try:
            if self.certificates:
                secured = self._secured(self.certificates, client, addr)
            if secured is not None:
                self._converse(listener_name, secured, addr)
        except OSError as error:
            log.debug("connection lost", error=str(error))
        finally:
            if secured is not None:
                say_goodbye(secured)
                secured.close()
            client.close()

    def _secured(self, certificates: Certificates, client: Any, addr: Any) -> Any:
        """The connection under TLS; None when the client does not get that far."""
        first = self.idle.wait_for_handshake(client, self._first_patience)
        if first == HANDSHAKE:
            return certificates.begin(client)
        if first:
            error = BadRequestException("This port speaks TLS: use https://")
            self._refuse(client, addr, None, time.monotonic(), error)
        return None

    @property
    def _first_patience(self) -> float:
        """A new connection that says nothing gets as long as an idle one, at least for its first request."""
        return max(self.settings.server.keep_alive, self.settings.server.read_timeout)

    def _converse(self, listener_name: Any, client: Any, addr: Any) -> None:
        parser = RequestParser(self.cfg, client, addr)
        parser.mesg_class = self.request_class
        fresh, patience = True, self._first_patience
        while self.idle.wait_for_request(client, parser, patience, fresh=fresh):
            fresh, patience = False, self.settings.server.keep_alive
            if not self._serve(listener_name, parser, client, addr) or not patience:
                break

    def _serve_lane(self, lane: "Lane", data: bytes, fill: "Keeper | None") -> bool:
        """A request that cannot be answered the hot way, and all that was sent behind it."""
        parser = RequestParser(self.cfg, lane.client, lane.address)
        parser.mesg_class = self.request_class
        parser.unreader.unread(data)
        while self._serve(lane.listener_name, parser, lane.client, lane.address, fill):
            if not parser.unreader.buf.getvalue():
                return True
            fill = None
        return False

    def _serve(
        self, listener_name: Any, parser: RequestParser, client: Any, addr: Any, fill: "Keeper | None" = None
    ) -> bool:
        """One request; True if the connection may carry another one."""
        started, request = time.monotonic(), None
        client.settimeout(None)
        try:
            with self._read_deadline(b"\r\n\r\n" in parser.unreader.buf.getbuffer(), started):
                request = next(parser)
            if self.certificates:
                self.certificates.check_client(client, request.path)
            return self._answer(listener_name, request, client, addr, started, fill)
        except (StopIteration, NoMoreData):
            return False
        except RequestDeadline as late:
            self._refuse(client, addr, request, started, late.answer(request, self.settings))
        except (OSError, gevent.GreenletExit):
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the client gets the envelope
            self._refuse(client, addr, request, started, self._service_error(error, request))
        return False

    def _answer(
        self, listener_name: Any, request: Any, client: Any, addr: Any, started: float, fill: "Keeper | None"
    ) -> bool:
        largest = self.settings.limits.max_request_body_size
        check_size(request, largest)
        response, environ = create(
            request,
            client,
            addr,
            listener_name,
            self.cfg,
            response_class=Answer,
            response_args=(self._keeps_connections,),
        )
        request.environ = environ
        environ.update(fill.environ() if fill else ())
        environ["wsgi.multithread"] = True
        with self._read_deadline(not expects_body(request), started):
            environ["wsgi.input"] = read_body(request, largest)
        client.settimeout(self.settings.server.write_timeout)
        try:
            with RequestDeadline(self.settings.server.request_timeout, reading=False):
                body = self._run_application(environ, response, gathers=fill is not None)
        except (Exception, RequestDeadline) as error:
            if isinstance(error, OSError) or not response.has_begun:
                raise
            log.error("answer broken off", method=request.method, path=request.path, error=error)
            return False
        self.nr += 1
        if fill is not None:
            self._keep(fill, response, body, environ)
        return not response.should_close()

    def _keep(self, fill: "Keeper", response: Answer, body: bytes, environ: dict[str, Any]) -> None:
        etag = next((value for name, value in response.headers if name == "ETag"), None)
        fill.keep(response.status_code, response.head, body, environ, etag)

    def _keeps_connections(self) -> bool:
        return bool(self.alive and self.settings.server.keep_alive)

    def _read_deadline(self, complete: bool, started: float) -> AbstractContextManager[object]:
        """What is left of ``server.read_timeout``; no timer for what has arrived already."""
        if complete:
            return nullcontext()
        left = started + self.settings.server.read_timeout - time.monotonic()
        return RequestDeadline(max(left, 0.001), reading=True)

    def _run_application(self, environ: dict[str, Any], response: Answer, *, gathers: bool) -> bytes:
        """Send the answer; return its body if it is wanted."""
        pieces, body = self.wsgi(environ, response.start_response), b""
        try:
            for piece in pieces:
                response.write(piece)
                body = body + piece if gathers else body
            response.close()
        finally:
            if hasattr(pieces, "close"):
                pieces.close()
        return body

    # -- answers of our own --------------------------------------------------------------------

    def _service_error(self, error: Exception, request: Any) -> ServiceError:
        limits = self.settings.limits
        answer = service_error(error, limits.max_url_length, limits.max_header_size)
        if answer.code == 500 and answer is not error:
            log.error(
                "request failed outside the application", path=getattr(request, "path", None), error=error
            )
        return answer

    def _refuse(self, client: Any, addr: Any, request: Any, started: float, error: ServiceError) -> None:
        environ = getattr(request, "environ", {})
        request_id = environ.get("bingsan.request_id")
        if request_id is None:  # the application never saw it
            headers = getattr(request, "headers", ())
            request_id = accept_request_id(dict(headers).get("X-REQUEST-ID"))
            forwarded = ",".join(value for name, value in headers if name == "X-FORWARDED-FOR")
            who = self.proxies.client_address(addr[0], forwarded)
            record(request, error, request_id, time.monotonic() - started, who)
        client.settimeout(_LINGER_SECONDS)
        head = getattr(request, "method", "") == "HEAD"
        client.sendall(refusal(error, request_id, head=head, secure=hasattr(client, "unwrap")))
        _linger(client)


def _log_greenlet(_context: Any, _kind: Any, error: Any, _traceback: Any) -> None:
    """In place of gevent's traceback on standard error."""
    log.error("greenlet failed", error=error)


def _accept_waiting(server: StreamServer) -> None:
    """Take what waits in the kernel's queue: it would be reset when the listener closes."""
    try:
        while not server.full() and (accepted := server.do_read()):
            server.do_handle(*accepted)
    except OSError as error:  # no descriptor is left: those who are connected must not suffer from it
        log.warning("connections that wait are not taken", error=error)


def _linger(client: Any) -> None:
    """Read on for a moment: closing with unread bytes resets the connection, and the answer may be lost."""
    say_goodbye(client)
    client.settimeout(_LINGER_SECONDS)
    client.shutdown(1)
    received, end = 0, time.monotonic() + _LINGER_SECONDS
    while received < _LINGER_BYTES and time.monotonic() < end:
        data = client.recv(65536)
        if not data:
            return
        received += len(data)
