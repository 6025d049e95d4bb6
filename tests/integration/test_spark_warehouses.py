"""Spark on two warehouses of one service, one named by its root location as Spark users do."""

from collections.abc import Iterator

import pytest
from pyspark.sql import SparkSession

from tests.clients.spark import Engine
from tests.conftest import MakeServer
from tests.contract.managed import Grounds, create, s3_profile
from tests.factories import unique_name
from tests.support.minio import Minio


@pytest.fixture
def engines(
    spark_session: SparkSession, make_server: MakeServer, minio: Minio
) -> Iterator[tuple[Engine, Engine]]:
    """A local warehouse by its name, and one on MinIO by its root location; the keys are Spark's own."""
    grounds = Grounds(minio.endpoint)
    with make_server(settings=grounds.settings()) as server:
        client = server.client()
        bucket = minio.create_bucket(unique_name("spark").replace("_", "-"))
        chosen = [
            {"warehouse": create(client, grounds.local())["name"]},
            {
                "warehouse": create(client, s3_profile(minio, bucket))["storage-profile"]["root-location"],
                "io-impl": "org.apache.iceberg.aws.s3.S3FileIO",
                "s3.access-key-id": minio.access_key,
                "s3.secret-access-key": minio.secret_key,
            },
        ]
        names = [unique_name("apart"), unique_name("apart")]
        for name, choice in zip(names, chosen, strict=True):
            options = {"type": "rest", "uri": server.url, "cache-enabled": "false", **choice}
            spark_session.conf.set(f"spark.sql.catalog.{name}", "org.apache.iceberg.spark.SparkCatalog")
            for key, value in options.items():
                spark_session.conf.set(f"spark.sql.catalog.{name}.{key}", value)
        yield Engine(spark_session, names[0]), Engine(spark_session, names[1])
    grounds.remove()


def test_the_same_table_in_two_warehouses(engines: tuple[Engine, Engine]) -> None:
    files, store = engines
    for number, engine in enumerate(engines):
        engine.sql(f"CREATE NAMESPACE {engine.catalog}.db")
        engine.sql(f"CREATE TABLE {engine.catalog}.db.t (id INT, place STRING) USING iceberg")
        engine.sql(f"INSERT INTO {engine.catalog}.db.t VALUES ({number}, '{number}')")
    one, two = f"{files.catalog}.db.t", f"{store.catalog}.db.t"
    assert files.rows(f"SELECT * FROM {one}") == [(0, "0")]
    assert files.rows(f"SELECT * FROM {two}") == [(1, "1")]
    files.sql(f"INSERT INTO {two} SELECT id + 10, place FROM {one}")
    joined = f"SELECT b.id FROM {one} a JOIN {two} b ON a.place = b.place"
    assert files.rows(joined) == [(10,)]
    (path,) = files.sql(f"SELECT DISTINCT split(file_path, '/')[0] AS scheme FROM {two}.files")
    assert path["scheme"] == "s3:"
    files.sql(f"DROP TABLE {one}")
    assert files.rows(f"SELECT count(*) FROM {two}") == [(2,)]
