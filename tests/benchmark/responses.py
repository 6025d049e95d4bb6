"""The answers on one keep-alive connection, taken apart as their bytes come."""

BODILESS = frozenset({204, 304})
END = b"\r\n\r\n"
LENGTH = b"\r\ncontent-length:"


class BrokenAnswerError(Exception):
    """What came is no answer with a length."""


class Responses:
    """Feed it what was received; it tells the statuses of the answers that are complete.

    ``bodiless`` is for HEAD, whose answers end with their heads.
    """

    def __init__(self, *, bodiless: bool = False) -> None:
        self._bodiless = bodiless
        self._buffer = bytearray()
        self._missing = 0
        self._status = 0

    def feed(self, data: bytes) -> list[int]:
        """Return the statuses of the answers that end in ``data``.

        :raises BrokenAnswerError: when it is no HTTP/1.1 answer with Content-Length
        """
        if self._missing > len(data):
            self._missing -= len(data)
            return []
        done = []
        if self._missing:
            done.append(self._status)
            data, self._missing = data[self._missing :], 0
        self._buffer += data
        while self._next_head():
            if self._missing > len(self._buffer):
                self._missing -= len(self._buffer)
                self._buffer.clear()
                break
            del self._buffer[: self._missing]
            self._missing = 0
            done.append(self._status)
        return done

    def _next_head(self) -> bool:
        """Take one head off the buffer; its status and the length of its body are known then."""
        end = self._buffer.find(END)
        if end < 0:
            return False
        head = bytes(self._buffer[: end + 2])
        del self._buffer[: end + len(END)]
        if not head.startswith(b"HTTP/1.1 "):
            raise BrokenAnswerError(head[:100])
        self._status = int(head[9:12])
        self._missing = 0 if self._bodiless or self._status in BODILESS else content_length(head)
        return True


def content_length(head: bytes) -> int:
    lower = head.lower()
    start = lower.find(LENGTH)
    if start < 0:
        raise BrokenAnswerError(head[:100])
    return int(lower[start + len(LENGTH) : lower.index(b"\r\n", start + 2)])
