"""The kinds of values a setting can have: how each is read, shown and described.

A kind's ``parse`` takes what YAML or the environment gave and returns the typed value, or raises
``ValueError`` whose text is the problem. Durations are float seconds, sizes int bytes, lists tuples of str.
"""

import re
from dataclasses import dataclass
from typing import Any, Protocol

_UNIT_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_DURATION_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)")
_SIZE = re.compile(r"(\d+)\s*(B|KiB|MiB|GiB|KB|MB|GB)?")
_SIZE_BYTES = {
    "B": 1,
    "KiB": 2**10,
    "MiB": 2**20,
    "GiB": 2**30,
    "KB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
}
_TEN_YEARS = 10 * 365 * 86400.0
_TRUE, _FALSE = {"true", "1", "yes", "on"}, {"false", "0", "no", "off"}


class Kind(Protocol):
    """How the values of a setting are read and shown."""

    @property
    def secret(self) -> bool: ...

    @property
    def expected(self) -> str: ...

    def parse(self, raw: Any) -> Any: ...

    def show(self, value: Any) -> str: ...


@dataclass(frozen=True)
class Text:
    """Any string; numbers that YAML read as such are taken as they were written."""

    secret: bool = False
    one_line: bool = True
    expected: str = "a string"

    def parse(self, raw: Any) -> str:
        if isinstance(raw, bool) or not isinstance(raw, str | int | float):
            raise ValueError("wrong type")
        text = str(raw)
        if "\0" in text or (self.one_line and "\n" in text):
            raise ValueError("not one line of text")
        return text

    def show(self, value: str) -> str:
        return value


@dataclass(frozen=True)
class Bool:
    secret: bool = False
    expected: str = "true or false"

    def parse(self, raw: Any) -> bool:
        if isinstance(raw, bool):
            return raw
        if isinstance(raw, str) and raw.lower() in _TRUE | _FALSE:
            return raw.lower() in _TRUE
        raise ValueError("not a truth value")

    def show(self, value: bool) -> str:
        return "true" if value else "false"


@dataclass(frozen=True)
class Int:
    low: int
    high: int
    secret: bool = False

    @property
    def expected(self) -> str:
        return f"an integer from {self.low} to {self.high}"

    def parse(self, raw: Any) -> int:
        if isinstance(raw, str) and re.fullmatch(r"[+-]?\d{1,18}", raw):
            raw = int(raw)
        if isinstance(raw, bool) or not isinstance(raw, int):
            raise ValueError("not an integer")
        if not self.low <= raw <= self.high:
            raise ValueError("out of range")
        return raw

    def show(self, value: int) -> str:
        return str(value)


@dataclass(frozen=True)
class Duration:
    """Go notation: ``30s``, ``100ms``, ``1h30m``; ``0`` needs no unit. Float seconds."""

    low: float = 0.0
    high: float = _TEN_YEARS
    secret: bool = False

    @property
    def expected(self) -> str:
        bounds = f" from {show_duration(self.low)} up" if self.low else ""
        if self.high < _TEN_YEARS:
            bounds = f" from {show_duration(self.low)} to {show_duration(self.high)}"
        return f"a duration such as 500ms, 30s or 1h30m{bounds}"

    def parse(self, raw: Any) -> float:
        value = parse_duration(raw)
        if not self.low <= value <= self.high:
            raise ValueError("out of range")
        return value

    def show(self, value: float) -> str:
        return show_duration(value)


@dataclass(frozen=True)
class Size:
    """Bytes: ``64MiB``, ``16KiB``, ``65536``."""

    low: int = 1
    high: int = 2**40
    secret: bool = False

    @property
    def expected(self) -> str:
        return f"a size such as 16KiB or 64MiB from {show_size(self.low)} to {show_size(self.high)}"

    def parse(self, raw: Any) -> int:
        if isinstance(raw, bool) or not isinstance(raw, str | int):
            raise ValueError("not a size")
        match = _SIZE.fullmatch(str(raw))
        if match is None:
            raise ValueError("not a size")
        value = int(match[1]) * _SIZE_BYTES[match[2] or "B"]
        if not self.low <= value <= self.high:
            raise ValueError("out of range")
        return value

    def show(self, value: int) -> str:
        return show_size(value)


@dataclass(frozen=True)
class Choice:
    values: tuple[str, ...]
    secret: bool = False

    @property
    def expected(self) -> str:
        return "one of " + ", ".join(self.values)

    def parse(self, raw: Any) -> str:
        # YAML reads 1.2 as a number.
        if isinstance(raw, bool) or not isinstance(raw, str | float) or str(raw).lower() not in self.values:
            raise ValueError("not a known value")
        return str(raw).lower()

    def show(self, value: str) -> str:
        return value


@dataclass(frozen=True)
class TextList:
    """A YAML list of strings, or one string separated by commas."""

    secret: bool = False
    expected: str = "a list of strings, separated by commas in a variable"

    def parse(self, raw: Any) -> tuple[str, ...]:
        items = raw.split(",") if isinstance(raw, str) else raw
        if not isinstance(items, list | tuple) or not all(isinstance(item, str) for item in items):
            raise ValueError("not a list of strings")
        return tuple(item.strip() for item in items if item.strip())

    def show(self, value: tuple[str, ...]) -> str:
        return ",".join(value)


def parse_duration(raw: Any) -> float:
    """Seconds of a duration in Go notation; raises ``ValueError``."""
    if raw in (0, "0") and not isinstance(raw, bool):
        return 0.0
    parts = _DURATION_PART.findall(raw) if isinstance(raw, str) else []
    if not parts or "".join(number + unit for number, unit in parts) != raw:
        raise ValueError("not a duration")
    return round(sum(float(number) * _UNIT_SECONDS[unit] for number, unit in parts), 9)


def show_duration(seconds: float) -> str:
    """The shortest Go notation of a number of seconds: 5400 is ``1h30m``, 0.1 ``100ms``."""
    if 0 < seconds < 1:
        return f"{seconds * 1000:g}ms"
    if seconds < 120 and seconds != 60:
        return f"{seconds:g}s"
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    parts = [f"{count:g}{unit}" for count, unit in ((hours, "h"), (minutes, "m"), (rest, "s")) if count]
    return "".join(parts) or "0s"


def show_size(size: int) -> str:
    for unit in ("GiB", "MiB", "KiB"):
        if size >= _SIZE_BYTES[unit] and size % _SIZE_BYTES[unit] == 0:
            return f"{size // _SIZE_BYTES[unit]}{unit}"
    return str(size)
