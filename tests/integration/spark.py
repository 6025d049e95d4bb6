"""One Spark session for all tests, with the Iceberg runtime from Maven Central."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pyspark.sql import Row, SparkSession

from tests.support.java import fetch_jars, java_home
from tests.support.server import TestServer

ICEBERG = "1.12.0"
JARS = (
    f"org.apache.iceberg:iceberg-spark-runtime-4.1_2.13:{ICEBERG}",
    f"org.apache.iceberg:iceberg-aws-bundle:{ICEBERG}",
)
QUICK_START = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1"
EXTENSIONS = "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions"


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
    options = {
        "spark.jars": ",".join(map(str, fetch_jars(*JARS))),
        "spark.sql.extensions": EXTENSIONS,
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
    """Return Spark's settings for the server as catalog ``name``; S3 keys are Spark's own."""
    options = {
        "": "org.apache.iceberg.spark.SparkCatalog",
        "type": "rest",
        "uri": server.url,
        "cache-enabled": "false",
        **server.warehouse.client_properties(),
    }
    if server.warehouse.location.startswith("s3:"):
        options["io-impl"] = "org.apache.iceberg.aws.s3.S3FileIO"
    prefix = f"spark.sql.catalog.{name}"
    return {f"{prefix}.{key}" if key else prefix: value for key, value in options.items()}


class Engine:
    """Spark SQL with short answers."""

    def __init__(self, session: SparkSession, catalog: str) -> None:
        self.session, self.catalog = session, catalog

    def sql(self, statement: str, **arguments: Any) -> list[Row]:
        """Run one statement and return its rows."""
        return self.session.sql(statement, **arguments).collect()

    def rows(self, statement: str) -> list[tuple]:
        """Return the rows of a query as plain tuples."""
        return [tuple(row) for row in self.sql(statement)]

    def value(self, statement: str) -> Any:
        """Return the only value of a query's only row."""
        ((value,),) = self.rows(statement)
        return value

    def columns(self, table: str) -> list[str]:
        """Return the column names of a table or view."""
        return self.session.table(table).columns
