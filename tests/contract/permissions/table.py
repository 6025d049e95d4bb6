"""Reads ``table.txt``."""

from pathlib import Path
from typing import NamedTuple

SYMBOLS = set("+x.nw!")


class Rights(NamedTuple):
    """What a principal or role is given: ``grants`` are (privileges, object), ``owns`` objects it created."""

    grants: tuple[tuple[tuple[str, ...], str], ...] = ()
    roles: tuple[str, ...] = ()
    owns: tuple[str, ...] = ()
    scope: str = ""
    disabled: bool = False


class Cell(NamedTuple):
    """``status`` is that of a request that is allowed, ``missing`` the kind of what is not seen."""

    operation: str
    target: str
    principal: str
    expected: str
    status: int
    missing: str

    def __str__(self) -> str:
        return f"{self.operation} {self.target} {self.principal}"


class Table(NamedTuple):
    principals: dict[str, Rights]
    roles: dict[str, Rights]
    cells: list[Cell]


def read_table() -> Table:
    parts = _sections((Path(__file__).parent / "table.txt").read_text().splitlines())
    principals = dict(map(_rights, parts["principals"]))
    cells = [cell for line in parts["operations"] for cell in _row(line, list(principals))]
    assert len({str(cell) for cell in cells}) == len(cells), "a row is there twice"
    return Table(principals, dict(map(_rights, parts["roles of roles"])), cells)


def _sections(lines: list[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    current: list[str] = []
    for line in lines:
        if line.startswith("["):
            current = found.setdefault(line.strip("[]"), [])
        elif line and not line.startswith("#"):
            current.append(line)
    return found


def _rights(line: str) -> tuple[str, Rights]:
    name, _, rest = line.partition(" ")
    words = [phrase.split() for phrase in rest.split(";") if phrase.strip()]
    of = {kind: [given for word, *given in words if word == kind] for kind in ("grant", "role", "owner")}
    return name, Rights(
        grants=tuple((tuple(privileges.split(",")), target) for privileges, target in of["grant"]),
        roles=tuple(role for (role,) in of["role"]),
        owns=tuple(target for (target,) in of["owner"]),
        scope="".join(given[0] for word, *given in words if word == "scope"),
        disabled=["disabled"] in words,
    )


def _row(line: str, principals: list[str]) -> list[Cell]:
    operation, target, status, missing, *groups = line.split()
    symbols = "".join(groups)
    assert len(symbols) == len(principals), f"{len(symbols)} cells: {line}"
    assert set(symbols) <= SYMBOLS, line
    return [
        Cell(operation, target, principal, symbol, int(status), missing)
        for principal, symbol in zip(principals, symbols, strict=True)
    ]
