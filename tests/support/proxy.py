"""A TCP proxy that can stop answering while it still accepts, or cut a connection at a chosen message."""

import select
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Self

CHUNK = 65536


class Proxy:
    """Forwards a port of the loopback interface to another one; ``frozen()`` holds everything back.

    ``target_port`` may be changed; new connections go there.
    """

    def __init__(self, target_port: int) -> None:
        self.target_port = target_port
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = self.listener.getsockname()[1]
        self.moving = threading.Event()
        self.moving.set()
        self.closed = False
        self.cut: Cut | None = None
        self.connections: list[socket.socket] = []

    def __enter__(self) -> Self:
        self.acceptor = threading.Thread(target=self.accept, daemon=True)
        self.acceptor.start()
        return self

    def __exit__(self, *fault: object) -> None:
        self.closed = True
        self.moving.set()
        self.refuse()
        self.acceptor.join()
        self.listener.close()
        for connection in self.connections:
            connection.close()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """New and old connections stay open and carry nothing during the block."""
        self.moving.clear()
        try:
            yield
        finally:
            self.moving.set()

    def refuse(self) -> None:
        """Accept no new connection from now on."""
        with suppress(OSError):  # it refuses already
            self.listener.shutdown(socket.SHUT_RDWR)

    def sever(self) -> None:
        """End all connections that there are; new ones are carried."""
        for connection in self.connections.copy():
            with suppress(OSError):  # it has ended already
                connection.shutdown(socket.SHUT_RDWR)

    @contextmanager
    def cutting(self, marker: bytes, *, delivered: bool) -> Iterator["Cut"]:
        """Cut the connection of the client that sends ``marker``, once; ``delivered`` says whether the server
        still gets it (its answer is lost in any case)."""
        self.cut = cut = Cut(marker, delivered)
        try:
            yield cut
        finally:
            self.cut = None

    def accept(self) -> None:
        while not self.closed:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            self.connections.append(client)
            threading.Thread(target=self.carry, args=(client,), daemon=True).start()

    def carry(self, client: socket.socket) -> None:
        """Move bytes both ways until one side ends; nobody there is the end at once."""
        with ExitStack() as opened:
            opened.enter_context(client)
            try:
                server = opened.enter_context(socket.create_connection(("127.0.0.1", self.target_port)))
            except OSError:
                return
            if server.getsockname() == server.getpeername():
                return  # nobody listens, and the kernel has chosen that very port for our end
            other = {client: server, server: client}
            while not self.closed:
                ready, _, _ = select.select([client, server], [], [], 1)
                self.moving.wait()
                for source in ready:
                    cut = self.cut if source is client else None
                    if not move(source, other[source], cut):
                        return


class Cut:
    """Where to cut, and whether it has happened."""

    def __init__(self, marker: bytes, delivered: bool) -> None:
        self.marker, self.delivered, self.happened = marker, delivered, False
        self.and_then: Callable[[], None] = lambda: None

    def applies(self, data: bytes) -> bool:
        if self.happened or self.marker not in data:
            return False
        self.happened = True
        return True


def move(source: socket.socket, target: socket.socket, cut: Cut | None) -> bool:
    """Move one chunk; return whether the connection lives on."""
    try:
        data = source.recv(CHUNK)
        if cut is not None and cut.applies(data):
            if cut.delivered:
                target.sendall(data)
                target.recv(CHUNK)
            cut.and_then()
            return False
        target.sendall(data)
    except OSError:
        return False
    return bool(data)
