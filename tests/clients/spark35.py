"""Spark 3.5 in a process and an environment of its own."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.clients import sql_program
from tests.clients.page import blocks, configuration, properties
from tests.clients.people import ProgramPeer
from tests.clients.program import Program
from tests.clients.spark import catalog_options, java_environment, session_options
from tests.support.python import environment
from tests.support.server import TestServer

PACKAGE = "pyspark==3.5.8"


class Spark35(ProgramPeer):
    name = "Spark 3.5"
    string = "STRING"
    suffix = "USING iceberg"
    mark = "`"

    def tables(self, namespace: str) -> set[str]:
        return {row[1] for row in self.rows(f"SHOW TABLES IN {self.catalog}.`{namespace}`")}


@contextmanager
def running_spark35(catalogs: Mapping[str, TestServer], folder: Path) -> Iterator[Program]:
    """A session in which each server is a catalog, configured as docs/clients.md says."""
    options = session_options(properties(blocks()["spark-3.5-s3"]), folder)
    for name, server in catalogs.items():
        options |= catalog_options(name, configuration("spark-3.5", server))
    command = [environment(PACKAGE), sql_program.__file__, "spark", json.dumps(options)]
    with Program(command, folder, java_environment()) as program:
        yield program
