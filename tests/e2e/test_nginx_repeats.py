"""What nginx does with a request when a node is not there, or goes away before it has answered."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from uuid import uuid4

import pytest
import requests

from tests.conftest import MakeServer
from tests.factories import commit_request, create_table_request, set_properties, unique_name
from tests.support.nginx import nginx_before
from tests.support.process import eventually, free_port
from tests.support.proxy import Cut, Proxy
from tests.support.server import Client, TestServer

ID = "X-Request-ID"


@dataclass
class Pair:
    """A server behind two proxies, which nginx takes for two nodes."""

    server: TestServer
    proxies: list[Proxy]
    client: Client

    @contextmanager
    def cut(self, marker: str) -> Iterator[Cut]:
        """Cut the connection that carries ``marker``, once: the server gets the request, its answer is lost."""
        cut = Cut(marker.encode(), delivered=True)
        for proxy in self.proxies:
            proxy.cut = cut
        yield cut
        for proxy in self.proxies:
            proxy.cut = None
        assert cut.happened

    def ask(self, method: str, path: str, **options: object) -> tuple[requests.Response, list[int]]:
        """Send a request whose first answer is lost; return what the client got and what the server answered."""
        marker = unique_name("request")
        headers = {ID: marker, **options.pop("headers", {})}
        with self.cut(marker):
            answer = self.client.request(method, path, headers=headers, **options)
        expected = 1 if answer.status_code == 502 else 2
        eventually(lambda: len(self.answered(marker)) >= expected, 10, "the server has answered")
        return answer, self.answered(marker)

    def answered(self, request_id: str) -> list[int]:
        return [line["status"] for line in self.server.logs() if line.get("request_id") == request_id]


@pytest.fixture(scope="module")
def pair(make_server: MakeServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with ExitStack() as stack:
        server = stack.enter_context(make_server(settings={"server.trusted_proxies": "127.0.0.1"}))
        proxies = [stack.enter_context(Proxy(server.port)) for _ in range(2)]
        folder = tmp_path_factory.mktemp("nginx")
        url = stack.enter_context(nginx_before([proxy.port for proxy in proxies], folder))
        yield Pair(server, proxies, stack.enter_context(Client(url)))


@pytest.fixture
def space(pair: Pair) -> str:
    """The path of a namespace whose name has a slash."""
    name = unique_name("a/b")
    assert pair.client.post("/v1/namespaces", json={"namespace": [name]}).status_code == 200
    return f"/v1/namespaces/{name.replace('/', '%2F')}"


@pytest.fixture
def table(pair: Pair, space: str) -> str:
    answer = pair.client.post(f"{space}/tables", json=create_table_request("t"))
    assert answer.status_code == 200, answer.text
    return f"{space}/tables/t"


def commits(pair: Pair, table: str) -> tuple[str | None, int]:
    """Return a property of a table and how many commits it has had."""
    metadata = pair.client.get(table).json()["metadata"]
    return metadata["properties"].get("a"), len(metadata["metadata-log"])


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_read_goes_to_another_node(pair: Pair, table: str, method: str) -> None:
    answer, answered = pair.ask(method, table)
    assert answer.status_code in {200, 204}
    assert answered == [answer.status_code] * 2


def test_a_commit_is_never_sent_twice(pair: Pair, table: str) -> None:
    """The client is told that nobody knows; here it was applied."""
    answer, answered = pair.ask("POST", table, json=commit_request(set_properties(a="1")))
    assert answer.status_code == 502
    assert answered == [200]
    assert commits(pair, table) == ("1", 1)


def test_a_commit_with_a_key_goes_to_another_node_and_is_applied_once(pair: Pair, table: str) -> None:
    key = {"Idempotency-Key": str(uuid4())}
    answer, answered = pair.ask("POST", table, json=commit_request(set_properties(a="1")), headers=key)
    assert answer.status_code == 200, answer.text
    assert answered == [200, 200]
    assert commits(pair, table) == ("1", 1)
    assert answer.json()["metadata"]["properties"]["a"] == "1"


@pytest.mark.parametrize(("key", "status"), [({}, 404), ({"Idempotency-Key": str(uuid4())}, 204)])
def test_a_drop_goes_to_another_node(pair: Pair, table: str, key: dict[str, str], status: int) -> None:
    """Which no longer finds the table, and without a key cannot know why."""
    answer, answered = pair.ask("DELETE", table, headers=key)
    assert answer.status_code == status
    assert sorted(answered) == sorted([204, status])  # two workers wrote their lines


@pytest.mark.parametrize("key", [False, True])
def test_a_node_that_is_not_there_is_noticed_by_nobody(
    pair: Pair, tmp_path_factory: pytest.TempPathFactory, space: str, key: bool
) -> None:
    """Two of three: every request goes to the one that is left, commits too, for they were sent to nobody else."""
    ports = [free_port(), pair.server.port, free_port()]
    with nginx_before(ports, tmp_path_factory.mktemp("nginx")) as url, Client(url) as client:
        for number in range(10):
            if key:
                client.headers["Idempotency-Key"] = str(uuid4())
            answer = client.post(f"{space}/tables", json=create_table_request(f"t{number}"))
            assert answer.status_code == 200, answer.text
            assert client.get(f"{space}/tables/t{number}").status_code == 200


def test_keyed_requests_are_limited_as_all_others(pair: Pair) -> None:
    key = {"Idempotency-Key": str(uuid4())}
    answer = pair.client.post("/v1/namespaces", data=b" " * (64 * 2**20 + 1), headers=key)
    assert (answer.status_code, answer.json()["error"]["type"]) == (413, "RequestTooLargeException")
