"""Namespaces that many clients create at the same time: each exactly once, and nobody is stopped by somebody else."""

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import requests

from tests.conftest import MakeServer
from tests.contract.calls import assert_error, namespace_path, no_content, ok
from tests.contract.rights import WAREHOUSE, grant, person_with, revoke
from tests.factories import unique_name
from tests.support.identities import Identities, secured_settings
from tests.support.process import eventually
from tests.support.server import Client, TestServer

CLIENTS, EACH = 16, 12
HOT = "bingsan_hot_answers_total"
HELD = "INSERT INTO namespaces (warehouse_id, levels, location) SELECT id, ARRAY[%s], 'x:/y' FROM warehouses"
CREATIONS = """SELECT count(*), count(DISTINCT object_id) FROM changes
    WHERE action = 'namespace.created' AND namespace[1] = ANY (%s)"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("failpoints")


@pytest.fixture(scope="module")
def guarded(make_server: MakeServer, folder: Path) -> Iterator[TestServer]:
    """One worker, so that all requests meet; a failpoint stops the one that ``folder`` asks for."""
    folder.chmod(0o777)
    settings = secured_settings(
        testing__enabled=True,
        testing__failpoints=f"mutation.end=hold:{folder}",
        server__request_timeout="3s",
        database__statement_timeout="2s",
        server__hot_path=True,
    )
    with make_server(settings=settings, workers=1) as running:
        ok(create(Identities(running).admin, unique_name("first")))  # later ones are answered like it
        yield running


@pytest.fixture
def identities(guarded: TestServer) -> Identities:
    return Identities(guarded)


def create(client: Client, name: str) -> requests.Response:
    return client.post("/v1/namespaces", json={"namespace": [name], "properties": {"owner": "ada"}})


@contextmanager
def held(server: TestServer, name: str) -> Iterator[None]:
    """Somebody else is creating the namespace, and gives up at the end."""
    assert server.database is not None
    with closing(server.database.connect()) as connection, connection.cursor() as cursor:
        cursor.execute(HELD, (name,))
        yield
        connection.rollback()


def test_each_name_once(identities: Identities) -> None:
    """All clients want the same names, each in an order of its own."""
    names, start = [unique_name("same") for _ in range(EACH)], threading.Barrier(CLIENTS)
    person = identities.person()
    token = identities.token(person)
    grant(identities.admin, WAREHOUSE, person.name, "create")

    def one(number: int) -> list[tuple[str, int]]:
        with identities.with_token(token) as client:
            start.wait(30)
            own = names[number % EACH :] + names[: number % EACH]
            return [(name, create(client, name).status_code) for name in own]

    with ThreadPoolExecutor(CLIENTS) as pool:
        counts = Counter(answer for each in pool.map(one, range(CLIENTS)) for answer in each)
    for name in names:
        assert counts[name, 200] == 1
        assert counts[name, 409] == CLIENTS - 1
        loaded = ok(identities.admin.get(namespace_path(name)))
        assert loaded["properties"]["owner"] == "ada"
        assert loaded["properties"]["location"].endswith(f"/{name}")


def test_all_of_them_the_hot_way(identities: Identities) -> None:
    names = [[unique_name("own") for _ in range(EACH)] for _ in range(CLIENTS)]
    token = identities.token(identities.root)
    ok(create(identities.with_token(token), unique_name("known")))  # whose token it is
    before = identities.server.metric(HOT)

    def one(own: list[str]) -> None:
        with identities.with_token(token) as client:
            for name in own:
                ok(create(client, name))

    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(one, names))
    count = CLIENTS * EACH
    eventually(lambda: identities.server.metric(HOT) - before >= count, 10, "none was left to others")
    assert identities.server.database is not None
    rows = identities.server.database.query(CREATIONS, [name for own in names for name in own])
    assert rows == [(count, count)]


def test_who_meets_somebody_waits_alone(identities: Identities) -> None:
    wanted, others = unique_name("held"), [unique_name("free") for _ in range(8)]
    with ThreadPoolExecutor(20) as pool:
        clients = [identities.with_token(identities.token(identities.root)) for _ in range(9)]
        with held(identities.server, wanted):
            waiting = pool.submit(create, clients[0], wanted)
            for answer in pool.map(create, clients[1:], others):
                ok(answer)
            assert not waiting.done()
        ok(waiting.result(30))


def test_rights_hold_at_once(identities: Identities) -> None:
    person, client = person_with(identities, WAREHOUSE, "create", "list")
    for _ in range(3):
        ok(create(client, unique_name("may")))
        revoke(identities.admin, WAREHOUSE, person.name, "create")
        assert_error(create(client, unique_name("may_not")), 403, "ForbiddenException")
        grant(identities.admin, WAREHOUSE, person.name, "create")
    revoke(identities.admin, WAREHOUSE, person.name, "create", "list")
    assert_error(create(client, unique_name("owner_of_others")), 403, "ForbiddenException")


def test_too_late(identities: Identities, folder: Path) -> None:
    """Nobody says that it was refused; as it happens nothing was done."""
    name = unique_name("late")
    (folder / "mutation.end.armed").touch()
    answer = create(identities.admin, name)
    (folder / "mutation.end.held").unlink()
    assert_error(answer, 500, "CommitStateUnknownException")
    assert answer.headers["Connection"] == "close"
    assert identities.admin.get(namespace_path(name)).status_code == 404
    ok(create(identities.admin, name))
    no_content(identities.admin.delete(namespace_path(name)))
