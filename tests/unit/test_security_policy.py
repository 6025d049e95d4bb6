"""SECURITY.md names tests that exist: a defence without its proof is a claim."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
POLICY = (ROOT / "SECURITY.md").read_text()
REFERENCE = re.compile(r"`(tests/[\w/]+\.py)?::(\w+)`|`(\.?[\w./-]+\.\w+)`")


def rows() -> list[list[str]]:
    table = POLICY.partition("## Attackers and defences")[2].partition("\n## ")[0]
    lines = [line for line in table.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[1:]]


def proofs(cell: str) -> list[tuple[str, str]]:
    """The tests that a cell names; ``::name`` is in the file that was named before it."""
    found, file = [], ""
    for path, name, other in REFERENCE.findall(cell):
        file = path or other or file
        found.append((file, name))
    return found


def functions(file: str) -> set[str]:
    tree = ast.parse((ROOT / file).read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_every_defence_is_proved_by_something_that_exists():
    assert len(rows()) > 20
    for row in rows():
        attacker, *_, cell = row
        assert len(row) == 4, row
        assert proofs(cell), attacker
        for file, name in proofs(cell):
            assert (ROOT / file).is_file(), file
            assert not name or name in functions(file), f"{file}::{name}"


def test_every_attacker_of_the_table_is_introduced():
    introduced = POLICY.partition("## Attackers and defences")[2].partition("| attacker")[0].lower()
    for attacker in {row[0] for row in rows()} - {"whoever made a package"}:
        assert f"*{attacker}*" in introduced, attacker
