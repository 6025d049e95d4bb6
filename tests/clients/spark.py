"""One Spark session for all tests, with the Iceberg runtime from Maven Central."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pyspark.sql import Row, SparkSession

from tests.clients.page import blocks, properties
from tests.clients.people import SqlPeer
from tests.support.java import fetch_jars, java_home

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
    """Start Spark in this process."""
    os.environ |= java_environment()
    builder = SparkSession.builder
    for key, value in session_options(properties(blocks()["spark-s3"]), folder).items():
        builder = builder.config(key, value)
    return builder.getOrCreate()


def java_environment() -> dict[str, str]:
    return {"JAVA_HOME": str(java_home()), "SPARK_LOCAL_IP": "127.0.0.1"}


def session_options(page: dict[str, str], folder: str | Path) -> dict[str, str]:
    """Return one thread, 1 GB, no web page, all files in ``folder``, jars and extensions as the page says."""
    jars = fetch_jars(*page["spark.jars.packages"].split(","))
    return {
        "spark.app.name": "bingsan-tests",
        "spark.master": "local[1]",
        "spark.jars": ",".join(map(str, jars)),
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


def catalog_options(name: str, page: str) -> dict[str, str]:
    """Return the settings of a block of docs/clients.md for a catalog called ``name``; nothing is cached."""
    known, named = "spark.sql.catalog.bingsan", f"spark.sql.catalog.{name}"
    options = {key.replace(known, named): value for key, value in properties(page).items() if known in key}
    return {**options, f"{named}.cache-enabled": "false"}


class Engine(SqlPeer):
    """Spark SQL with short answers."""

    name = "Spark 4.1"
    string = "STRING"
    suffix = "USING iceberg"
    mark = "`"

    def __init__(self, session: SparkSession, catalog: str) -> None:
        self.session, self.catalog = session, catalog

    def sql(self, statement: str, **arguments: Any) -> list[Row]:
        """Run one statement and return its rows."""
        return self.session.sql(statement, **arguments).collect()

    def rows(self, statement: str) -> list[tuple]:
        """Return the rows of a query as plain tuples."""
        return [tuple(row) for row in self.sql(statement)]

    def tables(self, namespace: str) -> set[str]:
        return {row["tableName"] for row in self.sql(f"SHOW TABLES IN {self.catalog}.{namespace}")}

    def value(self, statement: str) -> Any:
        """Return the only value of a query's only row."""
        ((value,),) = self.rows(statement)
        return value

    def columns(self, table: str) -> list[str]:
        """Return the column names of a table or view."""
        return self.session.table(table).columns
