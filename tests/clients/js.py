"""iceberg-js in a Node.js process; every method of its catalog can be called."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.clients.page import configuration
from tests.clients.people import COLUMNS, KINDS, DefinitionPeer
from tests.clients.program import Program
from tests.support.node import node_program, npm_install
from tests.support.server import TestServer

VERSION = "1.0.0"
ANSWER = """
import { createInterface } from 'node:readline'
const failure = (e) => ({ message: e.message, name: e.name, status: e.status, type: e.icebergType })
for await (const line of createInterface({ input: process.stdin })) {
  const [method, ...values] = JSON.parse(line)
  const asked = catalog[method](...values)
  const answer = await asked.then((result) => ({ result: result ?? null }), (e) => ({ error: failure(e) }))
  process.stdout.write(JSON.stringify(answer) + '\\n')
}
process.exit(0) // its idle connections would keep it alive
"""


class JavaScript(DefinitionPeer):
    """Knows definitions only: the tables that it creates are empty, and it counts rows by their snapshot's summary."""

    name = "iceberg-js"

    def __init__(self, program: Program) -> None:
        self.program = program

    def call(self, method: str, *values: object) -> Any:
        """Return what the catalog's method resolves to.

        :raises ClientError: with name, status and type, when it rejects
        """
        return self.program.ask([method, *values])

    def create(self, namespace: str, table: str) -> None:
        fields = [
            {"id": number, "name": name, "type": kind, "required": False}
            for number, (name, kind) in enumerate(zip(COLUMNS, KINDS, strict=True), 1)
        ]
        self.call(
            "createTable",
            {"namespace": [namespace]},
            {"name": table, "schema": {"type": "struct", "fields": fields}},
        )

    def count(self, namespace: str, table: str) -> int:
        metadata = self.call("loadTable", {"namespace": [namespace], "name": table})
        current = [
            s for s in metadata.get("snapshots", []) if s["snapshot-id"] == metadata["current-snapshot-id"]
        ]
        return int(current[0]["summary"]["total-records"]) if current else 0

    def tables(self, namespace: str) -> set[str]:
        return {each["name"] for each in self.call("listTables", {"namespace": [namespace]})["identifiers"]}


@contextmanager
def running_js(server: TestServer, folder: Path) -> Iterator[JavaScript]:
    """The program of docs/clients.md, which then calls what it is told to."""
    with run_js(configuration("iceberg-js", server), folder) as js:
        yield js


@contextmanager
def run_js(text: str, folder: Path) -> Iterator[JavaScript]:
    """The program ``text``, which makes a ``catalog``."""
    program = folder / "client.mjs"
    program.write_text(text + ANSWER)
    modules = folder / "node_modules"
    if not modules.exists():
        modules.symlink_to(npm_install("iceberg-js", VERSION) / "node_modules")
    with Program([node_program(), program.name], folder) as process:
        yield JavaScript(process)
