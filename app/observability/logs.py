"""Logging of the service: JSON lines on standard output.

``get_logger(name).info("server listening", address=…)`` for events, ``log_request`` for answered requests,
``capture_standard_logging`` for what libraries say through :mod:`logging` and :mod:`warnings`.
"""

import logging
import time
from typing import Any, Final

from app.observability.lines import LEVELS, EventEntry, RequestEntry, describe_error, render
from app.observability.writer import LineWriter

_STANDARD_LEVELS: Final = ((logging.ERROR, "ERROR"), (logging.WARNING, "WARN"), (logging.INFO, "INFO"))


def _drop_notice(count: int) -> EventEntry:
    return EventEntry(time.time(), "WARN", "log lines dropped", {"count": count})


writer = LineWriter(render, drop_notice=_drop_notice)
"""The process's own writer; ``lifecycle`` starts and closes it."""


class _Threshold:
    """The lowest level that is written; shared by all loggers of the process."""

    __slots__ = ("name", "value")

    def __init__(self) -> None:
        self.set("INFO")

    def set(self, name: str) -> None:
        self.name = "WARN" if name.upper() == "WARNING" else name.upper()
        self.value = LEVELS[self.name]


_threshold = _Threshold()


def set_level(name: str) -> None:
    """Lines below ``name`` (DEBUG, INFO, WARN, ERROR) are not written. Raises KeyError on any other name."""
    _threshold.set(name)


def enabled(level: str) -> bool:
    return LEVELS[level] >= _threshold.value


class Logger:
    """Writes events; keyword arguments become keys, an exception under ``error`` brings its stack."""

    __slots__ = ("_name",)

    def __init__(self, name: str | None) -> None:
        self._name = name

    def debug(self, msg: str, **fields: Any) -> None:
        self._write("DEBUG", msg, fields)

    def info(self, msg: str, **fields: Any) -> None:
        self._write("INFO", msg, fields)

    def warning(self, msg: str, **fields: Any) -> None:
        self._write("WARN", msg, fields)

    def error(self, msg: str, **fields: Any) -> None:
        self._write("ERROR", msg, fields)

    def _write(self, level: str, msg: str, fields: dict[str, Any]) -> None:
        if LEVELS[level] < _threshold.value:
            return
        error = fields.get("error")
        if isinstance(error, BaseException):
            fields.update(describe_error(error))
        if self._name:
            fields["logger"] = self._name
        writer.submit(EventEntry(time.time(), level, msg, fields))


def get_logger(name: str | None = None) -> Logger:
    """A logger whose lines carry ``name`` under ``logger``; without one they carry no such key."""
    return Logger(name)


def log_request(entry: RequestEntry) -> None:
    """Queue the line of one answered request."""
    if LEVELS[entry.level] >= _threshold.value:
        writer.submit(entry)


def request_level(status: int) -> str:
    """ERROR from 500, WARN from 400, else INFO."""
    if status >= 500:
        return "ERROR"
    return "WARN" if status >= 400 else "INFO"


class JsonHandler(logging.Handler):
    """Renders records of the standard :mod:`logging` as lines of ours."""

    def __init__(self) -> None:
        """Do not register for the flush at exit: there is nothing to flush, and the callback would run when
        the interpreter has already taken gevent's locks apart.
        """
        logging.Filterer.__init__(self)
        self.level = logging.NOTSET
        self.formatter = None
        self._name = None
        self._closed = False
        self.createLock()

    def emit(self, record: logging.LogRecord) -> None:
        level = next((name for floor, name in _STANDARD_LEVELS if record.levelno >= floor), "DEBUG")
        if LEVELS[level] < _threshold.value:
            return
        fields: dict[str, Any] = {"logger": record.name}
        if record.exc_info and record.exc_info[1] is not None:
            fields.update(describe_error(record.exc_info[1]))
        writer.submit(EventEntry(record.created, level, _message(record), fields))

    def createLock(self) -> None:  # noqa: N802 - the name is logging's
        """No lock: ``submit`` needs none, and a lock made before the fork would be shared with nobody."""
        self.lock = None


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError):  # the caller's arguments do not fit its own format
        return f"{record.msg} {record.args}"


def capture_standard_logging(level: int = logging.WARNING) -> None:
    """Send what goes through :mod:`logging` or :mod:`warnings` into our lines; replaces root handlers."""
    root = logging.getLogger()
    root.handlers[:] = [JsonHandler()]
    root.setLevel(level)
    logging.captureWarnings(True)
