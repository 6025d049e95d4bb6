"""Where settings are written down: the YAML file and the environment, both flattened to dotted keys."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from app.config.faults import ConfigurationError, Fault

FILE_NAME = "config.yaml"


@dataclass(frozen=True)
class Given:
    """A raw value and the place it was written."""

    raw: Any
    source: str


class _Loader(yaml.SafeLoader):
    """Refuses a key that is written twice: which one counts would be a guess."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        names = [str(key.value) for key, _ in node.value]
        for name in names:
            if names.count(name) > 1:
                raise yaml.constructor.ConstructorError(
                    None, None, f"key {name} is written twice", node.start_mark
                )
        return super().construct_mapping(node, deep)


def find_file(path: str | Path | None, environ: Mapping[str, str]) -> Path | None:
    """The configuration file, or ``None``; raises when one was named and is not there."""
    named, source = (path, "--config") if path else (environ.get("ICEBERG_CONFIG"), "env ICEBERG_CONFIG")
    if named:
        if not Path(named).is_file():
            raise ConfigurationError([Fault("config", "no such file", str(named), "a YAML file", source)])
        return Path(named)
    folders = [Path.cwd(), Path("/etc/iceberg-catalog")]
    if environ.get("HOME"):
        folders.append(Path(environ["HOME"]) / ".iceberg-catalog")
    return next((folder / FILE_NAME for folder in folders if (folder / FILE_NAME).is_file()), None)


def read_file(path: Path) -> dict[str, Given]:
    """The file's values by dotted key; raises ``ConfigurationError`` when it is no YAML mapping."""
    source = f"file {path}"
    try:
        document = yaml.load(path.read_text(encoding="utf-8"), _Loader)  # noqa: S506 - a SafeLoader
    except yaml.YAMLError as error:
        raise ConfigurationError([Fault("config", "not valid YAML", _where(error), source=source)]) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError([Fault("config", f"cannot be read: {error}", source=source)]) from None
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise ConfigurationError([Fault("config", "not a mapping", expected="sections", source=source)])
    return {key: Given(raw, source) for key, raw in _flatten(document, "")}


def read_environment(environ: Mapping[str, str]) -> dict[str, Given]:
    """The ICEBERG_* variables that say something, by their names; an empty one counts as absent."""
    return {
        name: Given(value, f"env {name}")
        for name, value in environ.items()
        if name.startswith("ICEBERG_") and name != "ICEBERG_CONFIG" and value != ""
    }


def _where(error: yaml.YAMLError) -> str:
    # PyYAML's own text quotes the line, which may hold a password.
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or "cannot be parsed"
    return f"{problem} at line {mark.line + 1}, column {mark.column + 1}" if mark else str(problem)


def _flatten(document: dict[Any, Any], prefix: str) -> list[tuple[str, Any]]:
    pairs: list[tuple[str, Any]] = []
    for name, raw in document.items():
        key = f"{prefix}{name}"
        if isinstance(raw, dict) and raw:
            pairs += _flatten(raw, key + ".")
        else:
            pairs.append((key, raw))
    return pairs
