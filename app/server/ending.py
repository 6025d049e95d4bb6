"""The end of a node's listening sockets: nobody may be connected to a socket that is about to close.

Whoever is in the kernel's queue when a listener closes is reset, maybe with a request sent already. So the kernel is
first told to drop what asks for a connection; who asked is refused when the listener is gone, and has sent nothing.
"""

import ctypes
import mmap
import socket
import struct
from collections.abc import Iterable
from typing import Any

from app.observability.logs import get_logger

log = get_logger("server")
_SO_ATTACH_FILTER = 26  # Linux; the socket module does not name it
# Classic BPF on the TCP header: drop what has SYN without ACK, take all else.
_DROP_NEWCOMERS = (
    (0x30, 0, 0, 13),  # load the byte of the flags
    (0x54, 0, 0, 0x12),  # and with SYN | ACK
    (0x15, 0, 1, 0x02),  # is it SYN alone?
    (0x06, 0, 0, 0),  # drop
    (0x06, 0, 0, 0xFFFFFFFF),  # take
)


class NodeEnd:
    """Whether the whole node stops, and not one worker only; the master tells its workers in shared memory."""

    def __init__(self) -> None:
        self._told = mmap.mmap(-1, 1)

    @property
    def has_come(self) -> bool:
        return self._told[0] == 1

    def announce(self) -> None:
        self._told[0] = 1

    def announce_at_stop_of(self, arbiter: Any) -> None:
        """Have gunicorn's master say it before its workers are stopped, unless somebody else goes on listening."""
        stop = arbiter.stop

        def announced_stop(*arguments: Any, **options: Any) -> None:
            if arbiter.reexec_pid == arbiter.master_pid == 0 and not arbiter.systemd:
                self.announce()
            stop(*arguments, **options)

        arbiter.stop = announced_stop


node_end = NodeEnd()


def drop_newcomers(listeners: Iterable[Any]) -> None:
    """Let nobody begin a connection to these sockets any more, in any process that has them; what began goes on."""
    code = b"".join(struct.pack("HBBI", *instruction) for instruction in _DROP_NEWCOMERS)
    buffer = ctypes.create_string_buffer(code)
    program = struct.pack("HL", len(_DROP_NEWCOMERS), ctypes.addressof(buffer))
    for listener in listeners:
        if listener.family in {socket.AF_INET, socket.AF_INET6}:
            try:
                listener.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, program)
            except OSError as error:  # some sandboxes have no filters
                log.warning("connections may still begin while the listeners close", error=error)
