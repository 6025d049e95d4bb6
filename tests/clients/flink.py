"""Flink's table environment in a process and an environment of its own; every job starts a small cluster there."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.clients import sql_program
from tests.clients.page import blocks, configuration
from tests.clients.people import ProgramPeer
from tests.clients.program import Program
from tests.support.java import fetch_jars, java_home
from tests.support.python import environment
from tests.support.server import TestServer

PACKAGE = "apache-flink==2.1.2"


class Flink(ProgramPeer):
    name = "Flink"
    string = "STRING"
    mark = "`"

    def tables(self, namespace: str) -> set[str]:
        return {name for (name,) in self.rows(f"SHOW TABLES FROM {self.catalog}.`{namespace}`")}


@contextmanager
def running_flink(catalogs: Mapping[str, TestServer], folder: Path, more: str = "") -> Iterator[Program]:
    """A session in which each server is a catalog, configured as docs/clients.md says.

    :param more: further options of every catalog
    """
    iceberg = fetch_jars(*lines("flink-lib"))
    options = {"pipeline.jars": ";".join(f"file://{jar}" for jar in iceberg), "parallelism.default": "1"}
    command = [environment(PACKAGE), sql_program.__file__, "flink", json.dumps(options)]
    with Program(command, folder, java_environment()) as program:
        for name, server in catalogs.items():
            statement = configuration("flink", server).strip().rstrip(";").replace("bingsan", name)
            program.ask(statement.rpartition("\n)")[0] + f",\n{more})" if more else statement)
        yield program


def java_environment() -> dict[str, str]:
    hadoop = fetch_jars(*lines("flink-hadoop"))
    return {
        "JAVA_HOME": str(java_home()),
        "JDK_JAVA_OPTIONS": "-Xmx1g -XX:+UseSerialGC -XX:TieredStopAtLevel=1",
        "HADOOP_CLASSPATH": ":".join(map(str, hadoop)),
    }


def lines(block: str) -> list[str]:
    """Return the Maven coordinates that a block of the page lists."""
    return blocks()[block].split()
