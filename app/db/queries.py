"""Named SQL: files of ``sql/queries``, each query under a line ``-- name: query_name``."""

import re
from functools import cache
from pathlib import Path

SQL_FOLDER = Path(__file__).resolve().parents[2] / "sql"
_NAME = re.compile(r"^-- name: ([a-z_0-9]+)\s*$", re.MULTILINE)


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


def _without_comments(text: str) -> str:
    lines = (line for line in text.splitlines() if not line.lstrip().startswith("--"))
    return "\n".join(lines).strip().removesuffix(";")
