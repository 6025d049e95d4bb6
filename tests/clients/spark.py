"""One Spark session for all tests, with the Iceberg runtime from Maven Central."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pyspark.sql import Row, SparkSession

from tests.clients.page import blocks, configuration, properties
from tests.clients.people import SqlPeer
from tests.support.java import fetch_jars, java_home
from tests.support.server import TestServer

PACKAGES = "spark.jars.packages"
QUICK_START = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1"


@contextmanager
def running_spark() -> Iterator[SparkSession]:
    """A session and its folder, both gone at the end."""
    folder = tempfile.mkdtemp(prefix="bingsan-spark-")
    session = create_session(folder)
    try:
        yield session
    finally:
        session.stop()
        shutil.rmtree(folder, ignore_errors=True)


def create_session(folder: str) -> SparkSession:
    """Start Spark in this process: one thread, 1 GB, no web page, all its files in ``folder``."""
    os.environ["JAVA_HOME"] = str(java_home())
    os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
    page = properties(blocks()["spark-s3"])
    options = {
        "spark.jars": ",".join(map(str, fetch_jars(*page[PACKAGES].split(",")))),
        "spark.sql.extensions": page["spark.sql.extensions"],
        "spark.sql.warehouse.dir": f"{folder}/warehouse",
        "spark.local.dir": f"{folder}/local",
        "spark.driver.memory": "1g",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.extraJavaOptions": f"-Dderby.system.home={folder} -Djava.io.tmpdir={folder} {QUICK_START}",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.shuffle.partitions": "1",
        "spark.sql.session.timeZone": "UTC",
        "spark.log.level": "ERROR",
    }
    builder = SparkSession.builder.master("local[1]").appName("bingsan-tests")
    for key, value in options.items():
        builder = builder.config(key, value)
    return builder.getOrCreate()


def catalog_options(name: str, server: TestServer) -> dict[str, str]:
    """Return the settings of docs/clients.md with the server as catalog ``name``; nothing is cached."""
    page = properties(configuration("spark", server))
    known = "spark.sql.catalog.bingsan"
    options = {
        key.replace(known, f"spark.sql.catalog.{name}"): value for key, value in page.items() if known in key
    }
    return {**options, f"spark.sql.catalog.{name}.cache-enabled": "false"}


class Engine(SqlPeer):
    """Spark SQL with short answers."""

    name = "Spark 4.1"
    string = "STRING"
    suffix = "USING iceberg"

    def __init__(self, session: SparkSession, catalog: str) -> None:
        self.session, self.catalog = session, catalog

    def sql(self, statement: str, **arguments: Any) -> list[Row]:
        """Run one statement and return its rows."""
        return self.session.sql(statement, **arguments).collect()

    def rows(self, statement: str) -> list[tuple]:
        """Return the rows of a query as plain tuples."""
        return [tuple(row) for row in self.sql(statement)]

    def qualified(self, namespace: str, table: str) -> str:
        return f"{self.catalog}.{namespace}.{table}"

    def tables(self, namespace: str) -> set[str]:
        return {row["tableName"] for row in self.sql(f"SHOW TABLES IN {self.catalog}.{namespace}")}

    def value(self, statement: str) -> Any:
        """Return the only value of a query's only row."""
        ((value,),) = self.rows(statement)
        return value

    def columns(self, table: str) -> list[str]:
        """Return the column names of a table or view."""
        return self.session.table(table).columns
