"""The object store fails under load in every way it can: commits are refused or succeed, nothing is lost, reads go on.

The node reaches the store through a proxy that spoils what it writes; the data files of PyIceberg go there directly.
"""

import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest

from tests.conftest import MakeServer
from tests.factories import unique_name
from tests.load import Load
from tests.load.history import Outcome
from tests.load.http_client import HttpClient
from tests.load.watch import Watch
from tests.support.faults import Exchange, Proxy
from tests.support.minio import Minio
from tests.support.process import eventually
from tests.support.server import TestServer
from tests.support.warehouses import S3Warehouse

Behaviour = Callable[[Exchange], None]


@dataclass
class Site:
    server: TestServer
    proxy: Proxy


@pytest.fixture(scope="module")
def site(make_server: MakeServer, minio: Minio) -> Iterator[Site]:
    warehouse = S3Warehouse(minio, minio.create_bucket(unique_name("faults").replace("_", "-")), "w")
    quick = {"storage.timeout": "500ms", "storage.deadline": "3s"}
    with Proxy(minio.endpoint, Exchange.pass_through).running() as proxy:
        env = {"ICEBERG_STORAGE_S3_ENDPOINT": proxy.endpoint}
        with make_server(warehouse, settings=quick, env=env) as server:
            yield Site(server, proxy)


def internal_error(exchange: Exchange) -> None:
    exchange.refuse(500, "InternalError")


def slow_down(exchange: Exchange) -> None:
    exchange.refuse(503, "SlowDown")


def full(exchange: Exchange) -> None:
    exchange.refuse(507, "XMinioStorageFull")


def silence(exchange: Exchange) -> None:
    """No answer, until the client gives up."""
    exchange.connection.settimeout(30)
    exchange.connection.recv(1)
    exchange.hang_up()


def half_written(exchange: Exchange) -> None:
    """The store gets half of the object."""
    target = urlsplit(exchange.server.target)
    with socket.create_connection((target.hostname, target.port), timeout=10) as store:
        head = [f"{exchange.command} {exchange.path} HTTP/1.1", *map(": ".join, exchange.headers.items())]
        store.sendall("\r\n".join([*head, "", ""]).encode())
        store.sendall(exchange.content[: len(exchange.content) // 2])
    exchange.hang_up()


def written_in_silence(exchange: Exchange) -> None:
    """The store has the object, and nobody hears of it."""
    exchange.forward()
    exchange.hang_up()


def half_answered(exchange: Exchange) -> None:
    exchange.forward()
    exchange.wfile.write(b"HTTP/1.")
    exchange.hang_up()


def at_first(behaviour: Behaviour) -> Behaviour:
    """Do that once with each object."""
    seen = set()

    def behave(exchange: Exchange) -> None:
        known = exchange.path in seen
        seen.add(exchange.path)
        (Exchange.pass_through if known else behaviour)(exchange)

    return behave


REFUSING = (internal_error, slow_down, full, silence, half_written, written_in_silence, half_answered)


def spoil(behaviour: Behaviour, method: str) -> Behaviour:
    """Do that with what the service itself writes or reads."""

    def behave(exchange: Exchange) -> None:
        ours = exchange.command == method and exchange.path.endswith(".metadata.json")
        (behaviour if ours else Exchange.pass_through)(exchange)

    return behave


def test_a_store_that_fails_in_every_way(site: Site) -> None:
    server = site.server
    assert server.database is not None
    with Watch(server.url) as watch, Load([server.url], server.warehouse) as load:
        load.flows()
        for behaviour in REFUSING:
            refused = refusals(load)
            site.proxy.behave = spoil(behaviour, "PUT")
            eventually(
                lambda refused=refused: refusals(load) > refused + 3, 60, f"{behaviour.__name__} refuses"
            )
            reads_go_on(load)
            if behaviour is silence:
                watch.says(200)  # no request of the node itself needs the store
            site.proxy.behave = Exchange.pass_through
            load.goes_on(3)
        for behaviour in REFUSING:
            site.proxy.behave = spoil(at_first(behaviour), "PUT")
            load.goes_on(3)
        site.proxy.behave = Exchange.pass_through
        load.flows()
    print(load.history)
    assert watch.silent() == []
    load.verify(server.database)
    eventually(lambda: load.orphans(server.database) == set(), 30, "nothing is left of what was refused")
    assert sum(each.outcome is Outcome.UNKNOWN for each in load.history.commits) == 0


def refusals(load: Load) -> int:
    return sum(each.outcome is Outcome.REFUSED for each in load.history.commits)


def reads_go_on(load: Load) -> None:
    """Return when some client has read what it asked for after now."""
    now = time.monotonic()
    clients = [client for client in load.clients if isinstance(client, HttpClient)]
    eventually(lambda: any(client.last_sight > now for client in clients), 60, "reads go on")


def test_a_file_of_which_only_half_arrives_is_not_registered(site: Site) -> None:
    client, space = site.server.client(), unique_name("half")
    client.post("/v1/namespaces", json={"namespace": [space]}).raise_for_status()
    path = f"/v1/namespaces/{space}"
    schema = {"type": "struct", "fields": [{"id": 1, "name": "a", "type": "long", "required": True}]}
    made = client.post(f"{path}/tables", json={"name": "t", "schema": schema})
    assert client.delete(f"{path}/tables/t").status_code == 204
    body = {"name": "again", "metadata-location": made.json()["metadata-location"]}

    def half(exchange: Exchange) -> None:
        status, content, headers = exchange.forward()
        whole = {**headers, "Content-Length": str(len(content))}
        exchange.send_response(status)
        for name, value in whole.items():
            exchange.send_header(name, value)
        exchange.end_headers()
        exchange.wfile.write(content[: len(content) // 2])
        exchange.hang_up()

    site.proxy.behave = spoil(half, "GET")
    assert client.post(f"{path}/register", json=body).status_code == 503
    site.proxy.behave = Exchange.pass_through
    assert client.post(f"{path}/register", json=body).status_code == 200
