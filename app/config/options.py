"""Declaring a setting, and walking over all of them as dotted keys."""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from app.config.kinds import Bool, Choice, Duration, Int, Kind, Size, Text, TextList


@dataclass(frozen=True)
class Option:
    """One setting: its dotted key, kind, default and help."""

    key: str
    kind: Kind
    default: Any
    help: str

    @property
    def variable(self) -> str:
        return variable_name(self.key)

    def show(self, value: Any) -> str:
        if self.kind.secret:
            return "***" if value else ""
        return self.kind.show(value)


def variable_name(key: str) -> str:
    """``server.port`` is ``ICEBERG_SERVER_PORT``."""
    return "ICEBERG_" + key.replace(".", "_").upper()


def options(section: type, prefix: str = "") -> Iterator[Option]:
    """All settings below a dataclass, in the order they are written there."""
    for field in dataclasses.fields(section):
        key = prefix + field.name
        if "kind" in field.metadata:
            yield Option(key, field.metadata["kind"], field.default, field.metadata["help"])
        elif "section" in field.metadata:
            yield from options(field.metadata["section"], key + ".")


def build(section: type, values: dict[str, Any], prefix: str = "", **extra: Any) -> Any:
    """An instance of the dataclass from dotted keys; what is absent keeps its default."""
    arguments = dict(extra)
    for field in dataclasses.fields(section):
        key = prefix + field.name
        if "section" in field.metadata:
            arguments[field.name] = build(field.metadata["section"], values, key + ".")
        elif key in values:
            arguments[field.name] = values[key]
    return section(**arguments)


def _setting(kind: Kind, default: Any, help: str) -> Any:
    value = kind.parse(default)
    return dataclasses.field(default=value, repr=not kind.secret, metadata={"kind": kind, "help": help})


def section(kind: type) -> Any:
    return dataclasses.field(default_factory=kind, metadata={"section": kind})


def text(default: str, help: str) -> Any:
    return _setting(Text(), default, help)


def secret(default: str, help: str) -> Any:
    return _setting(Text(secret=True, expected="a secret string"), default, help)


def boolean(default: bool, help: str) -> Any:
    return _setting(Bool(), default, help)


def integer(default: int, low: int, high: int, help: str) -> Any:
    return _setting(Int(low, high), default, help)


def duration(default: str, help: str, *, low: str = "0", high: str = "87600h") -> Any:
    kind = Duration()
    return _setting(Duration(kind.parse(low), kind.parse(high)), default, help)


def size(default: str, help: str, *, low: str = "1", high: str = "1024GiB") -> Any:
    kind = Size()
    return _setting(Size(kind.parse(low), kind.parse(high)), default, help)


def choice(default: str, values: tuple[str, ...], help: str) -> Any:
    return _setting(Choice(values), default, help)


def text_list(help: str, default: str = "") -> Any:
    return _setting(TextList(), default, help)
