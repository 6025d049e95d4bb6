"""Trino and Flink without storage keys: each writes and reads a table on MinIO with what the catalog vends."""

from collections.abc import Iterator

import pytest

from tests.clients.flink import Flink
from tests.clients.people import ROWS, RowPeer
from tests.clients.program import Program
from tests.clients.pyiceberg import PyIceberg, connect
from tests.clients.trino import session
from tests.factories import unique_name
from tests.support.server import Client, TestServer

MORE = [(4, "Edsger", "0.00", "1930-05-11", False)]


@pytest.fixture(scope="module")
def space(server_vended: TestServer) -> str:
    name = unique_name("ns")
    with Client(server_vended.url) as client:
        assert client.post("/v1/namespaces", json={"namespace": [name]}).status_code == 200
    return name


@pytest.fixture(scope="module")
def peers(server_vended: TestServer, trino_port: int, flink_program: Program) -> Iterator[dict[str, RowPeer]]:
    with session(trino_port, "vended") as trino, connect(server_vended) as pyiceberg:
        yield {"trino": trino, "flink": Flink(flink_program, "vended"), "pyiceberg": PyIceberg(pyiceberg)}


@pytest.mark.parametrize("writer", ["trino", "flink"])
def test_without_keys_of_its_own(peers: dict[str, RowPeer], space: str, writer: str) -> None:
    peers[writer].create(space, writer)
    peers[writer].insert(space, writer, ROWS)
    for reader in peers.values():
        assert reader.read(space, writer) == ROWS
    for other in peers.values():
        if other is not peers[writer]:
            other.insert(space, writer, MORE)
    assert len(peers[writer].read(space, writer)) == len(ROWS) + 2 * len(MORE)
