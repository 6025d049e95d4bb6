"""One log entry as one line of JSON: ``time``, ``level``, ``msg``, then its own keys."""

import time
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from app.observability.redaction import mask_fields, mask_path, mask_text
from app.observability.state import ROOT

LONGEST: Final = 4_096
"""Bytes of a line with its line end: what a pipe takes from several processes without mixing."""

LONGEST_PATH: Final = 2_048
FRAMES: Final = 25
MOST_KEYS: Final = 40
LONGEST_KEY: Final = 64

LEVELS: Final = {"DEBUG": 10, "INFO": 20, "WARN": 30, "ERROR": 40}


class RequestEntry(NamedTuple):
    """One answered request: ``time`` is the Unix time of its end, ``duration`` in seconds."""

    time: float
    level: str
    method: str
    path: str
    status: int
    duration: float
    request_id: str
    route: str
    principal: str | None
    warehouse: str | None
    bytes_in: int
    bytes_out: int
    error: str | None
    client_address: str | None


class EventEntry(NamedTuple):
    """Any other line. ``fields`` come after the three leading keys."""

    time: float
    level: str
    msg: str
    fields: Mapping[str, Any]


class _RequestLine(msgspec.Struct):
    time: datetime
    level: str
    msg: str
    method: str
    path: str
    status: int
    duration_ms: float
    request_id: str
    error: str | None
    route: str
    principal: str | None
    warehouse: str | None
    bytes: int
    bytes_received: int
    client_address: str | None


_encode = msgspec.json.Encoder(enc_hook=str).encode


def render(entry: RequestEntry | EventEntry) -> bytes:
    """The line of ``entry`` with its line end, at most ``LONGEST`` bytes; never raises."""
    try:
        return _render_request(entry) if isinstance(entry, RequestEntry) else _render_event(entry)
    except Exception as error:  # noqa: BLE001 - one odd value must not end the thread that writes all lines
        return _render_event(
            EventEntry(time.time(), "ERROR", "log entry not rendered", {"error": repr(error)})
        )


def _render_request(entry: RequestEntry) -> bytes:
    path = mask_path(entry.path)
    path = path if len(path) <= LONGEST_PATH else path[:LONGEST_PATH] + "…"
    error = None if entry.error is None else mask_text(entry.error)[:LONGEST_PATH]
    line = _RequestLine(
        datetime.fromtimestamp(entry.time, UTC),
        entry.level,
        "request completed",
        entry.method,
        path,
        entry.status,
        round(entry.duration * 1000, 3),
        entry.request_id,
        error,
        entry.route,
        entry.principal,
        entry.warehouse,
        entry.bytes_out,
        entry.bytes_in,
        entry.client_address,
    )
    try:
        encoded = _encode(line) + b"\n"
    except UnicodeEncodeError:
        encoded = b""
    return encoded if 0 < len(encoded) <= LONGEST else _render_fields(msgspec.structs.asdict(line))


def _render_event(entry: EventEntry) -> bytes:
    fields = mask_fields(entry.fields)
    head = {
        "time": datetime.fromtimestamp(entry.time, UTC),
        "level": entry.level,
        "msg": mask_text(entry.msg),
    }
    return _render_fields(
        head | {(f"{key}_" if key in head else key): value for key, value in fields.items()}
    )


def _render_fields(fields: dict[str, Any]) -> bytes:
    """Encode ``fields``; while too long, the longest value gives way."""
    fields = {_text(key)[:LONGEST_KEY]: _plain(value) for key, value in islice(fields.items(), MOST_KEYS)}
    encoded = _encode(fields) + b"\n"
    while len(encoded) > LONGEST:
        longest = max(fields.keys() - {"time", "level"}, key=lambda key: len(_encode(fields[key])))
        shorter = _shortened(fields.pop(longest))
        if shorter is not None:
            fields[longest] = shorter
        encoded = _encode(fields) + b"\n"
    return encoded


def _shortened(value: Any) -> Any:
    """Half of ``value``: the end of a list (innermost frames), the start of a text; else None."""
    if isinstance(value, list) and len(value) > 1:
        return value[len(value) // 2 :]
    text = value if isinstance(value, str) else _encode(value).decode()
    return text[: len(text) // 2] + "…" if len(text) > 8 else None


def _plain(value: Any) -> Any:
    """``value`` as something that encodes: a value JSON has no form for becomes its text."""
    if value is None or isinstance(value, bool | float | datetime):
        return value
    if isinstance(value, int):
        return value if -(2**63) <= value < 2**63 else str(value)
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, Mapping):
        return {_text(str(key)): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    return _text(mask_text(str(value)))


def _text(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")


def describe_error(error: BaseException) -> dict[str, Any]:
    """``error`` and ``stack`` for a log line: the innermost frames, one short string each, causes first."""
    chain: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in chain:
        chain.insert(0, cause)
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    stack: list[str] = []
    for link in chain:
        stack += [_frame(frame) for frame in traceback.extract_tb(link.__traceback__)]
        stack.append(f"{type(link).__name__}: {mask_text(str(link))[:500]}")
    return {"error": f"{type(error).__name__}: {mask_text(str(error))}", "stack": stack[-FRAMES:]}


def _frame(frame: traceback.FrameSummary) -> str:
    path = Path(frame.filename)
    short = path.relative_to(ROOT) if path.is_relative_to(ROOT) else Path(*path.parts[-2:])
    return f"{short}:{frame.lineno} {frame.name}"
