"""Every route says what it needs."""

import re
from pathlib import Path

import pytest

from app.api.config import mount_config
from app.api.declarations import Declaration
from app.api.management.resources import MANAGED
from app.api.needs import SOMEBODY, asks, describe, needs
from app.api.resources import RESOURCES
from app.auth.privileges import Privilege

ROUTES: dict[str, Declaration] = {
    endpoint: declared
    for resource in (mount_config(RESOURCES), *RESOURCES, *MANAGED)
    for endpoint, declared in resource.declarations.items()
}


@pytest.mark.parametrize("endpoint", ROUTES)
def test_route_says_what_it_needs(endpoint: str) -> None:
    need = ROUTES[endpoint].needs
    assert need is not None
    assert bool(need.text) != bool(need.on), "either checked before the view function, or asked by it"
    in_path = set(re.findall(r"\{([a-z-]+)\}", endpoint)) | {"server"}
    if "{prefix}" in endpoint:
        in_path.add("warehouse")
    assert not need.on or need.on in in_path


def test_there_are_routes() -> None:
    assert len(ROUTES) > 50


def test_needs_in_words() -> None:
    assert describe(needs(Privilege.DROP, on="table")) == "Needs `drop` on the table."
    assert describe(needs(on="table")) == "Needs any privilege on the table."
    assert describe(needs(on="namespace")) == "Needs any privilege on the namespace or on something in it."
    assert describe(asks("luck")) == "Needs luck."
    assert describe(SOMEBODY) == "Needs to be authenticated."


def table_of_needs() -> str:
    """Return the table of docs/permissions.md."""
    rows = [
        f"| `{endpoint.replace('/v1/{prefix}', '/v1')}` | {describe(declared.needs).removeprefix('Needs ')} |"
        for endpoint, declared in ROUTES.items()
        if declared.needs is not None
    ]
    return "\n".join(["| operation | needs |", "|---|---|", *rows])


def test_page_of_permissions_tells_what_each_operation_needs() -> None:
    page = Path(__file__).resolve().parents[2] / "docs" / "permissions.md"
    assert table_of_needs() in page.read_text("utf-8"), table_of_needs()
