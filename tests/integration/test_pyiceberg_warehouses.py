"""PyIceberg on several warehouses of one service at once."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa
import pytest
from pyiceberg.catalog import Catalog, load_catalog

from tests.conftest import MakeServer
from tests.contract.managed import Grounds, create, s3_profile
from tests.factories import unique_name
from tests.support.minio import Minio

APPENDS = 5


@pytest.fixture
def catalogs(make_server: MakeServer, minio: Minio) -> Iterator[list[Catalog]]:
    """The default warehouse, a local one by its name, one on MinIO by its root location."""
    grounds = Grounds(minio.endpoint)
    with make_server(settings=grounds.settings()) as server:
        client = server.client()
        named = create(client, grounds.local())["name"]
        root = create(client, s3_profile(minio, minio.create_bucket("pyiceberg")))["storage-profile"][
            "root-location"
        ]
        keys = {"s3.access-key-id": minio.access_key, "s3.secret-access-key": minio.secret_key}
        options = {
            "type": "rest",
            "uri": server.url,
            "py-io-impl": "pyiceberg.io.pyarrow.PyArrowFileIO",
            **keys,
        }
        chosen: list[dict[str, str]] = [{}, {"warehouse": named}, {"warehouse": root}]
        yield [load_catalog(unique_name("catalog"), **options, **choice) for choice in chosen]
    grounds.remove()


def rows(number: int) -> pa.Table:
    return pa.table({"warehouse": [number] * 3, "value": ["a", "b", "c"]})


def test_the_same_table_in_three_warehouses_at_once(catalogs: list[Catalog]) -> None:
    def work(number: int) -> set[int]:
        catalog = catalogs[number]
        catalog.create_namespace("db")
        table = catalog.create_table("db.t", schema=rows(number).schema)
        for _ in range(APPENDS):
            table.append(rows(number))
        return set(catalog.load_table("db.t").scan().to_arrow()["warehouse"].to_pylist())

    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(work, range(3))) == [{0}, {1}, {2}]
    roots = {catalog.load_table("db.t").location().partition("/db/")[0] for catalog in catalogs}
    assert len(roots) == 3
    assert {root.partition(":")[0] for root in roots} == {"file", "s3"}
    for catalog in catalogs:
        table = catalog.load_table("db.t")
        assert len(table.scan().to_arrow()) == 3 * APPENDS
        assert {task.file.file_path.partition("/db/")[0] for task in table.scan().plan_files()} <= roots
    catalogs[0].drop_table("db.t")
    assert [catalog.table_exists("db.t") for catalog in catalogs] == [False, True, True]
