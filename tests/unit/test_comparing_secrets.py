"""Secrets are compared by functions that take the same time for every wrong one, never letter by letter with ``==``."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

APP = Path(__file__).resolve().parents[2] / "app"
WATCHED = [
    *sorted((APP / "auth").glob("*.py")),
    *(APP / "api" / name for name in ("oauth.py", "authentication.py")),
]
SECRET = re.compile(r"secret|password|signature|digest|hmac|key_hash|api_key")
# What decides: a slow hash for secrets, the library's own comparison for signatures; keys are found by their hash.
DECIDING = {
    "secrets.py": "_HASHER.verify(",
    "tokens.py": "jwt.decode(",
    "keys.py": "hashlib.sha256(",
}


def trees() -> Iterator[tuple[str, ast.Module]]:
    for path in WATCHED:
        yield path.name, ast.parse(path.read_text())


def named(node: ast.AST) -> str:
    """The last part of a name, or nothing for what is none."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def test_no_secret_is_compared_with_an_operator() -> None:
    found = [
        (name, ast.unparse(node))
        for name, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Compare) and any(isinstance(each, ast.Eq | ast.NotEq) for each in node.ops)
        if any(SECRET.search(named(side)) for side in (node.left, *node.comparators))
    ]
    assert found == []


def test_what_decides_is_where_it_is_looked_for() -> None:
    for name, call in DECIDING.items():
        assert call in (APP / "auth" / name).read_text()


def test_no_signature_is_left_unchecked() -> None:
    """Every call that reads a token names its algorithms, and none turns the signature off."""
    calls = [
        (name, node)
        for name, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"jwt.decode", "jwt.decode_complete"}
    ]
    assert calls
    for name, call in calls:
        assert "algorithms" in {keyword.arg for keyword in call.keywords}, (name, ast.unparse(call))
        assert "verify_signature" not in ast.unparse(call), (name, ast.unparse(call))
