"""Clients in a warehouse that is not the default one: each names it in its own way."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from tests.clients.duck import load_extensions
from tests.clients.js import run_js
from tests.clients.page import configuration
from tests.conftest import MakeServer
from tests.factories import create_table_request
from tests.support.server import TestServer

NAME = "second"


@pytest.fixture(scope="module")
def server_of_two(make_server: MakeServer) -> Iterator[TestServer]:
    """A server with the warehouse ``second`` on local files; the namespace ``there`` is in the default one."""
    folder = Path(tempfile.mkdtemp(prefix="bingsan-second-"))
    with make_server(settings={"storage.local.allowed_roots": folder}) as running:
        client = running.client()
        profile = {"type": "local", "root-location": f"file://{folder / NAME}"}
        made = client.post("/management/v1/warehouses", json={"name": NAME, "storage-profile": profile})
        assert made.status_code == 201, made.text
        assert client.post("/v1/namespaces", json={"namespace": ["there"]}).status_code == 200
        yield running
    shutil.rmtree(folder, ignore_errors=True)


def renamed(text: str, old: str, new: str) -> str:
    assert text.count(old) == 1, f"docs/clients.md has {old} once"
    return text.replace(old, new)


def test_each_client_works_in_the_warehouse_it_names(server_of_two: TestServer, tmp_path: Path) -> None:
    url = f"'{server_of_two.url}'"
    text = renamed(configuration("iceberg-js", server_of_two), url, f"{url}, warehouse: '{NAME}'")
    with run_js(text, tmp_path) as js:
        js.call("createNamespace", {"namespace": ["here"]})
        js.call("createTable", {"namespace": ["here"]}, create_table_request("t"))

    with duckdb.connect() as duck:
        load_extensions(duck)
        duck.execute(renamed(configuration("duckdb", server_of_two), "ATTACH ''", f"ATTACH '{NAME}'"))
        duck.execute("INSERT INTO bingsan.here.t VALUES (1, 'Ada')")

    url = f'"{server_of_two.url}"'
    scope: dict = {}
    exec(renamed(configuration("pyiceberg", server_of_two), url, f'{url}, warehouse="{NAME}"'), scope)
    with scope["catalog"] as catalog:
        assert catalog.list_namespaces() == [("here",)]
        table = catalog.load_table(("here", "t"))
        assert table.scan().to_arrow().to_pylist() == [{"id": 1, "name": "Ada"}]
        assert f"/{NAME}/here/t-" in table.location()
