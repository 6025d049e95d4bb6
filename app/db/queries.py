"""Named SQL: files of ``sql/queries``, each query under a line ``-- name: query_name``.

``-- name: query_name (prepared)`` marks those that run so often that they are planned once per connection.
"""

import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

SQL_FOLDER = Path(__file__).resolve().parents[2] / "sql"
_NAME = re.compile(r"^-- name: ([a-z_0-9]+)(?: \(prepared\))?\s*$", re.MULTILINE)
_PREPARED = re.compile(r"^-- name: ([a-z_0-9]+) \(prepared\)\s*$", re.MULTILINE)
_PARAMETER = re.compile(r"%\((\w+)\)s")


class Prepared(NamedTuple):
    """How a query becomes known to a session, and how it is run there with its parameters."""

    definition: str
    execution: str


@cache
def load_queries(folder: Path = SQL_FOLDER / "queries") -> dict[str, str]:
    """Return query text by name.

    :raises ValueError: when a name occurs twice or a file has text before its first name
    """
    queries: dict[str, str] = {}
    for path in sorted(folder.glob("*.sql")):
        head, *parts = _NAME.split(path.read_text("utf-8"))
        if _without_comments(head):
            raise ValueError(f"{path.name}: SQL before the first '-- name:' line")
        for name, text in zip(parts[::2], parts[1::2], strict=True):
            if name in queries:
                raise ValueError(f"{path.name}: the query {name} exists already")
            queries[name] = _without_comments(text)
    return queries


@cache
def load_prepared(folder: Path = SQL_FOLDER / "queries") -> dict[str, Prepared]:
    """Return the queries that are marked as prepared, by name."""
    marked = [
        name for path in sorted(folder.glob("*.sql")) for name in _PREPARED.findall(path.read_text("utf-8"))
    ]
    queries = load_queries(folder)
    return {name: _prepared(name, queries[name]) for name in marked}


def _prepared(name: str, text: str) -> Prepared:
    numbers: dict[str, int] = {}
    body = _PARAMETER.sub(lambda found: f"${numbers.setdefault(found[1], len(numbers) + 1)}", text)
    values = ", ".join(f"%({parameter})s" for parameter in numbers)
    definition = f"PREPARE {name} AS {body.replace('%%', '%')}"
    return Prepared(definition, f"EXECUTE {name} ({values})" if values else f"EXECUTE {name}")


def _without_comments(text: str) -> str:
    lines = (line for line in text.splitlines() if not line.lstrip().startswith("--"))
    return "\n".join(lines).strip().removesuffix(";")
