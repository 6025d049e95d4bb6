"""The recorded heads of real clients."""

import pytest

from tests.clients.header_sets import CLIENTS, FOLDER, header_set, header_sets, write
from tests.support.own_document import own_document

NAMESPACE = "/v1/{prefix}/namespaces/{namespace}"
TABLE = f"{NAMESPACE}/tables/{{table}}"
READS = (
    *("GET /v1/config", "GET /v1/{prefix}/namespaces", f"GET {NAMESPACE}", f"HEAD {NAMESPACE}"),
    *(f"GET {NAMESPACE}/tables", f"GET {TABLE}", f"HEAD {TABLE}", f"GET {NAMESPACE}/views"),
)


@pytest.mark.parametrize("client", CLIENTS)
def test_every_client_has_every_hot_read(client: str) -> None:
    for operation in READS:
        assert header_set(client, operation).headers, operation


@pytest.mark.parametrize("client", CLIENTS)
def test_operations_are_those_of_the_document(client: str) -> None:
    known = {f"{method.upper()} {path}" for path, item in own_document()["paths"].items() for method in item}
    assert {one.operation for one in header_sets(client)} <= known


@pytest.mark.parametrize("client", CLIENTS)
def test_what_is_read_is_what_was_written(client: str) -> None:
    text = (FOLDER / f"{client}.txt").read_text()
    assert write(list(header_sets(client))) + "\n" == text
    assert "Bearer {token}" in text
    assert "127.0.0.1" not in text


def test_a_head_names_host_and_token() -> None:
    head = header_set("java", f"GET {TABLE}", conditional=True).head("/v1/x?y=1", "h:1", "secret")
    first, *lines = head.decode().split("\r\n")
    assert first == "GET /v1/x?y=1 HTTP/1.1"
    assert lines[-2:] == ["", ""]
    assert {"Host: h:1", "Authorization: Bearer secret"} <= set(lines)
    assert any(line.startswith('If-None-Match: "') for line in lines)
