"""What everybody authenticated may do by ``auth.acl`` and, as the Go version had it, by the scopes of a key."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import pytest
import requests

from tests.conftest import SHARED, MakeServer
from tests.contract.bodies import append
from tests.contract.calls import (
    make_namespace,
    make_table,
    namespace_path,
    rename_request,
)
from tests.contract.guarded import Guard
from tests.contract.permissions.seed import Seed
from tests.factories import commit_request, create_table_request, set_properties, unique_name
from tests.support.server import Client, TestServer

LEVELS = ("none", "read", "write", "manage")
# Written by hand: method, what, and the status for each level.
EXPECTED = """
GET    config                 200 200 200 200
GET    namespaces             404 200 200 200
GET    namespace              404 200 200 200
HEAD   namespace              404 204 204 204
GET    tables                 404 200 200 200
GET    table                  404 200 200 200
HEAD   table                  404 204 204 204
GET    credentials            404 200 200 200
GET    protection             404 200 200 200
GET    warehouses             200 200 200 200
POST   namespaces             404 403 200 200
POST   tables                 404 403 200 200
POST   properties             404 403 200 200
POST   commit                 404 403 200 200
POST   commit-of-properties   404 403 200 200
PUT    protection             404 403 200 200
POST   rename                 404 403 403 204
DELETE other-table            404 403 403 204
DELETE empty-namespace        404 403 403 204
GET    dropped                404 403 403 200
GET    jobs                   403 403 403 200
GET    principals             403 403 403 403
POST   principals             403 403 403 403
GET    roles                  403 403 403 403
POST   roles                  403 403 403 403
POST   keys                   403 403 403 403
POST   grants                 404 403 403 403
GET    audit                  403 403 403 403
"""
ROWS = [line.split() for line in EXPECTED.strip().splitlines()]


class Ground(NamedTuple):
    """A server, its administrator, a principal to whom nothing was granted, and what there is."""

    server: TestServer
    admin: Client
    seed: Seed
    principal: int

    def key(self, scope: str = "") -> str:
        return self.seed.key(self.principal, scope)[0]

    def requests(self) -> dict[str, tuple[str, Any]]:
        """Path and body of each row; what is dropped or renamed is touched by no other."""
        space, empty = make_namespace(self.admin), make_namespace(self.admin)
        table, moved = make_table(self.admin, space), make_table(self.admin, space)
        dropped = make_table(self.admin, space)
        managed = namespace_path(space, prefix="/management/v1/warehouses/default")
        to = {"principal": "plain"}
        on = {"warehouse": "default", "namespace": [space]}
        return {
            "config": ("/v1/config", None),
            "namespaces": ("/v1/namespaces", {"namespace": [unique_name("new")]}),
            "namespace": (namespace_path(space), None),
            "empty-namespace": (namespace_path(empty), None),
            "tables": (f"{namespace_path(space)}/tables", create_table_request(unique_name("new"))),
            "table": (table.path, None),
            "other-table": (dropped.path, None),
            "credentials": (f"{table.path}/credentials", None),
            "protection": (f"{managed}/protection", {"protected": False}),
            "warehouses": ("/management/v1/warehouses", None),
            "properties": (f"{namespace_path(space)}/properties", {"updates": {"a": "1"}}),
            "commit": (table.path, commit_request(*append(1, 1))),
            "commit-of-properties": (table.path, commit_request(set_properties(a="1"))),
            "rename": ("/v1/tables/rename", rename_request((space, moved.name), (space, "renamed"))),
            "dropped": ("/management/v1/warehouses/default/dropped", None),
            "jobs": ("/management/v1/jobs", None),
            "principals": ("/management/v1/principals", {"name": unique_name("p")}),
            "roles": ("/management/v1/roles", {"name": unique_name("r")}),
            "keys": ("/management/v1/keys", {"name": "new"}),
            "grants": ("/management/v1/grants", {"privileges": ["list"], "object": on, "to": to}),
            "audit": ("/management/v1/audit", None),
        }


@contextmanager
def ground(make_server: MakeServer, **settings: object) -> Iterator[Ground]:
    guard = Guard()
    given = {**guard.settings(), **{name.replace("__", "."): value for name, value in settings.items()}}
    with make_server(entry="gunicorn", workers=1, settings=given) as server:
        SHARED.append(server)
        assert server.database is not None
        admin, seed = server.client(), Seed(server.database)
        admin.headers["Authorization"] = f"Bearer {guard.login(admin)}"
        yield Ground(server, admin, seed, seed.principal("plain"))
        SHARED.remove(server)


def check(on: Ground, key: str, level: str) -> None:
    client, asked, found = on.server.client(), on.requests(), []
    for method, what, *statuses in ROWS:
        path, body = asked[what]
        taken = body if method in {"POST", "PUT"} else None
        answer: requests.Response = client.request(method, path, json=taken, headers={"X-API-Key": key})
        expected = int(statuses[LEVELS.index(level)])
        if answer.status_code not in ({200, 201} if expected == 200 else {expected}):
            found.append(f"{method} {what} should be {expected}: {answer.status_code} {answer.text[:300]}")
    assert not found, "\n".join(found)


@pytest.mark.parametrize("level", LEVELS)
def test_default_permission(make_server: MakeServer, level: str) -> None:
    with ground(make_server, auth__acl__default_permission=level) as on:
        check(on, on.key(), level)


def test_without_privileges_everybody_may_do_all_but_security(make_server: MakeServer) -> None:
    with ground(make_server, auth__acl__enabled=False) as on:
        check(on, on.key(), "manage")
        check(on, on.key("read"), "read")


def test_scopes_of_the_go_version_grant(make_server: MakeServer) -> None:
    with ground(make_server, compat__go_scopes=True) as on:
        check(on, on.key(), "none")
        for level in LEVELS[1:]:
            check(on, on.key(level), level)


def test_scopes_alone_grant_nothing(make_server: MakeServer) -> None:
    with ground(make_server) as on:
        for scope in ("", *LEVELS[1:]):
            check(on, on.key(scope), "none")
