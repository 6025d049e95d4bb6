"""SIGTERM under load: what was begun is finished, also with slow clients and a storage that hangs; exit within 35 s."""

import signal
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from tests.conftest import MakeServer
from tests.e2e.test_drain import connect, read_answer, send_get
from tests.factories import commit_request, create_table_request, set_properties, unique_name
from tests.load import Load
from tests.load.checks import versions
from tests.load.history import Outcome
from tests.support.minio import Minio
from tests.support.process import eventually
from tests.support.proxy import Proxy
from tests.support.replay import default_warehouse, recorded
from tests.support.server import Client, TestServer
from tests.support.warehouses import S3Warehouse

FINE = {"200", "204", "304", "404", "409", "CommitFailedException", "ConnectionError"}
SLOW = 4
LARGE = "x" * 60_000
IN_PROGRESS = "iceberg_catalog_http_requests_in_progress"


def test_a_stop_under_load_finishes_what_was_begun(make_server: MakeServer) -> None:
    """Every change either was answered or never began; who sends or reads slowly gets the whole answer."""
    with make_server() as server:
        path = make_tables(server, ["large"], {f"p{number}": LARGE for number in range(35)})
        with Load([server.url], server.warehouse) as load, ThreadPoolExecutor(2 * SLOW) as pool:
            load.flows()
            begun = threading.Barrier(2 * SLOW + 1)
            senders = [pool.submit(send_slowly, server, begun) for _ in range(SLOW)]
            readers = [pool.submit(read_slowly, server, f"{path}/large", begun) for _ in range(SLOW)]
            begun.wait(60)
            assert seconds_to_stop(server) < 35
            assert {future.result() for future in senders + readers} == {200}
            assert [line for line in server.logs() if "server.drain_timeout" in line["msg"]] == []
            server.start().wait_ready()
            load.flows()
        print(load.history)
        assert server.database is not None
        load.verify(server.database)
        assert {status for _, status in load.history.answers} <= FINE, load.history
        assert load.orphans(server.database) == set()
        # Who heard nothing had not begun; the same search finds all that was acknowledged.
        assert took_place(load, server, Outcome.UNKNOWN) == []
        births = [each for each in load.history.births if each.outcome is Outcome.DONE and not each.drop]
        assert len(took_place(load, server, Outcome.DONE)) == len(load.history.acknowledged()) + len(births)


def make_tables(server: TestServer, names: list[str], properties: dict[str, str] | None = None) -> str:
    """Create tables in a new namespace and return its path."""
    space = unique_name("stop")
    with Client(server.url) as client:
        client.post("/v1/namespaces", json={"namespace": [space]}).raise_for_status()
        for name in names:
            request = create_table_request(name, properties=properties or {})
            client.post(f"/v1/namespaces/{space}/tables", json=request).raise_for_status()
    return f"/v1/namespaces/{space}/tables"


def seconds_to_stop(server: TestServer) -> float:
    assert server.process is not None
    began = time.monotonic()
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(60) == 0
    return time.monotonic() - began


def send_slowly(server: TestServer, begun: threading.Barrier) -> int:
    """Send the body of a creation byte by byte, the most of it after the stop has begun."""
    body = f'{{"namespace": ["{unique_name("slow")}"]}}'.encode()
    head = f"POST /v1/namespaces HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    with connect(server) as connection:
        connection.sendall(f"{head}\r\n\r\n".encode() + body[:1])
        begun.wait(60)
        for position in range(1, len(body)):
            connection.sendall(body[position : position + 1])
            threading.Event().wait(0.1)
        return read_answer(connection)[0]


def read_slowly(server: TestServer, path: str, begun: threading.Barrier) -> int:
    """Ask for 2 MB and take them in small pieces, with a small window."""
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        connection.settimeout(40)
        connection.connect(("127.0.0.1", server.port))
        send_get(connection, path)
        received = connection.recv(4096)
        begun.wait(60)
        while b"\r\n\r\n" not in received or len(received) < expected_length(received):
            piece = connection.recv(65_536)
            assert piece, f"cut off after {len(received)} bytes"
            received += piece
            threading.Event().wait(0.03)
    return int(received.split()[1])


def expected_length(received: bytes) -> int:
    """The length of a whole answer, as its head says."""
    head, end, _ = received.partition(b"\r\n\r\n")
    (length,) = (line[15:] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    return len(head + end) + int(length)


def took_place(load: Load, server: TestServer, outcome: Outcome) -> list[object]:
    """Return the commits and creations of an outcome that are in the versions of their tables."""
    database = server.database
    assert database is not None
    chains = versions(recorded(database, default_warehouse(database)), load.history.namespace)
    births = [each for each in load.history.births if each.outcome is outcome and not each.drop]
    texts = {
        table: [server.warehouse.read(location).decode() for location in chains[table].locations]
        for table in load.tables
    }
    commits = [
        each
        for each in load.history.commits
        if each.outcome is outcome
        and any(f'"{each.client}":"{each.number}"' in text for table in each.tables for text in texts[table])
    ]
    return [*(each for each in births if each.table in chains), *commits]


def test_a_stop_while_the_storage_hangs(make_server: MakeServer, minio: Minio) -> None:
    """Who waits for the storage hears in time that nothing was done; nobody is cut off."""
    with Proxy(minio.port) as proxy:
        warehouse = S3Warehouse(minio, minio.create_bucket(unique_name("hung").replace("_", "-")), "w")
        env = {"ICEBERG_STORAGE_S3_ENDPOINT": f"http://127.0.0.1:{proxy.port}"}
        settings = {"storage.timeout": "3s", "storage.deadline": "6s"}
        with make_server(warehouse, settings=settings, env=env) as server, ThreadPoolExecutor(8) as pool:
            names = [f"t{number}" for number in range(8)]
            path = make_tables(server, names)
            with proxy.frozen():
                commits = [pool.submit(commit, server, f"{path}/{name}") for name in names]
                eventually(lambda: server.metric(IN_PROGRESS) >= len(names), 30, "all commits are under way")
                assert seconds_to_stop(server) < 35
            assert {future.result() for future in commits} == {503}
            server.start().wait_ready()
            with Client(server.url) as client:
                for name in names:
                    assert "a" not in client.get(f"{path}/{name}").json()["metadata"].get("properties", {})
            assert {commit(server, f"{path}/{name}") for name in names} == {200}


def commit(server: TestServer, path: str) -> int:
    with Client(server.url) as client:
        return client.post(path, json=commit_request(set_properties(a="1"))).status_code
