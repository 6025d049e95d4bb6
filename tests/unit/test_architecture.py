"""Rules of the house that import-linter cannot see: what may happen inside a transaction."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

APP = Path(__file__).resolve().parents[2] / "app"
# Calls that reach storage, another connection, or wait for other requests.
FORBIDDEN = {
    "read",
    "write_new",
    "delete",
    "exists",
    "for_location",
    "write_metadata_file",
    "read_metadata_file",
}
OPENING = {"transaction", "mutation"}
FORBIDDEN |= {"delete_metadata_files", "_write", "hold", "run", *OPENING}
# The last resort of an object that everybody wants writes its file under the row lock (app.catalog.commits).
LAST_RESORT = {("commits.py", "_attempt_locked", "_write")}


@cache
def functions(path: Path) -> list[ast.FunctionDef]:
    return [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)]


def transactions(function: ast.FunctionDef) -> Iterator[ast.With]:
    """Yield the with statements of a function that open a transaction."""
    for node in ast.walk(function):
        if isinstance(node, ast.With) and any(name_of(item.context_expr) in OPENING for item in node.items):
            yield node


def name_of(node: ast.AST) -> str:
    """Return the last part of what is called, or nothing for what is no call."""
    if not isinstance(node, ast.Call):
        return ""
    called = node.func
    return called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")


def calls(node: ast.AST) -> Iterator[ast.Call]:
    return (child for child in ast.walk(node) if isinstance(child, ast.Call))


def blocks() -> Iterator[tuple[Path, ast.FunctionDef, ast.With]]:
    for path in sorted(APP.rglob("*.py")):
        for function in functions(path):
            for block in transactions(function):
                yield path, function, block


def reached(path: Path, body: list[ast.stmt]) -> Iterator[tuple[str, ast.Call]]:
    """Yield the calls of statements and, one module deep, of the functions of the same file that they call."""
    local = {function.name: function for function in functions(path)}
    pending, seen = [(statement, "") for statement in body], set()
    while pending:
        node, via = pending.pop()
        for call in calls(node):
            name = name_of(call)
            yield via or name, call
            if name in local and name not in seen and isinstance(call.func, ast.Name):
                seen.add(name)
                pending += [(statement, via or name) for statement in local[name].body]


def test_nothing_inside_a_transaction_leaves_the_database() -> None:
    found = {
        (path.name, function.name, via)
        for path, function, block in blocks()
        for via, call in reached(path, block.body)
        if name_of(call) in FORBIDDEN
    }
    assert found - LAST_RESORT == set()
    assert found >= LAST_RESORT


def test_inside_a_transaction_only_its_own_connection_is_asked() -> None:
    """A request that held one connection and waited for a second could starve the pool."""
    asking = {"fetch_one", "fetch_all", "execute"}
    found = [
        (path.name, function.name, ast.unparse(call))
        for path, function, block in blocks()
        for _, call in reached(path, block.body)
        if name_of(call) in asking
        and isinstance(call.func, ast.Attribute)
        and ast.unparse(call.func.value) not in {"tx", "transaction", "source", "cursor"}
    ]
    assert found == []


def test_there_are_transactions_to_look_at() -> None:
    assert len({(path.name, function.name) for path, function, _ in blocks()}) >= 5
