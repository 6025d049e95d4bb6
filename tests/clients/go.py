"""The command line of iceberg-go: a process per command."""

import json
import os
import re
import subprocess
from typing import Any

from tests.clients.page import configuration
from tests.clients.people import COLUMNS, KINDS, DefinitionPeer
from tests.clients.program import ClientError
from tests.support.go import go_install
from tests.support.server import TestServer

PACKAGE, VERSION = "github.com/apache/iceberg-go/cmd/iceberg", "v0.7.0"

COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class IcebergGo(DefinitionPeer):
    """Reads manifests, but handles rows only when it compacts."""

    name = "iceberg-go"

    def __init__(self, server: TestServer, page: str = "") -> None:
        lines = (page or configuration("iceberg-go", server)).strip()
        assert lines.endswith(" list"), (
            "the block of docs/clients.md ends with the command that is replaced here"
        )
        self.script = lines.removesuffix("list") + '"$@"'
        self.folder = go_install(PACKAGE, VERSION).parent

    def text(self, *arguments: str) -> str:
        """Run ``iceberg ARGUMENTS`` and return what it prints.

        :raises ClientError: with what it says when it fails
        """
        done = subprocess.run(
            ["sh", "-c", self.script, "sh", *arguments],
            env={**os.environ, "PATH": f"{self.folder}:{os.environ['PATH']}"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        if done.returncode:
            raise ClientError({"message": done.stderr + done.stdout})
        return COLOUR.sub("", done.stdout)

    def json(self, *arguments: str) -> Any:
        """Return the same as JSON; some commands print several values."""
        values = [json.loads(line) for line in self.text("--output", "json", *arguments).splitlines() if line]
        return values[0] if len(values) == 1 else values

    def create(self, namespace: str, table: str) -> None:
        fields = [
            {"id": number, "name": name, "type": kind, "required": False}
            for number, (name, kind) in enumerate(zip(COLUMNS, KINDS, strict=True), 1)
        ]
        self.json("create", "table", f"{namespace}.{table}", "--schema", json.dumps(fields))

    def count(self, namespace: str, table: str) -> int:
        snapshot = self.json("files", f"{namespace}.{table}").get("snapshot")
        summary = snapshot["summary"] if snapshot else {}
        assert len(self.data_files(f"{namespace}.{table}")) == int(summary.get("total-data-files", 0))
        return int(summary.get("total-records", 0))

    def data_files(self, table: str) -> list[str]:
        """Return the locations of the data files that the manifests name, the deleted ones among them."""
        lines = self.text("files", table).splitlines()
        return [line.partition("Datafile: ")[2].strip() for line in lines if "Datafile: " in line]

    def tables(self, namespace: str) -> set[str]:
        return {levels[-1] for levels in self.json("list", namespace)["identifiers"] or []}
