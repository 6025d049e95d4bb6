"""What the benchmark asks for: namespaces of a hundred, and tables of known document size. Made when first needed."""

import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

from tests.benchmark.bulk import BULK, NAMESPACES, fill
from tests.benchmark.site import Site
from tests.benchmark.wire import PLACE, Case
from tests.factories import commit_request, create_table_request, field, schema, set_properties, unique_name

LISTED = 100
MANY = 5_000  # more than the heads that a worker remembers
ROTATED = 10  # objects that small loads take in turn
SNAPSHOT_BYTES = 486
LOAD_NAMESPACE = "GET /v1/{prefix}/namespaces/{namespace}"
LIST_NAMESPACES = "GET /v1/{prefix}/namespaces"
LIST_TABLES = "GET /v1/{prefix}/namespaces/{namespace}/tables"
TABLE = "/v1/{prefix}/namespaces/{namespace}/tables/{table}"
CREATE_NAMESPACE = "POST /v1/{prefix}/namespaces"
CREATE_TABLE = "POST /v1/{prefix}/namespaces/{namespace}/tables"


class Content:
    """The catalog's content during one run."""

    def __init__(self, site: Site) -> None:
        self._site, self.client = site, site.client()
        self._folders: dict[str, list[Path]] = {}
        # Made once, whichever cases need it.
        self.namespace = cache(self._namespace)
        self.children = cache(self._children)
        self.tables = cache(self._tables)
        self.many = cache(self._many)

    def commit(self, name: str, size: int, *, slow: bool = False) -> Case:
        """Set a property of 100 tables in turn."""
        body = text(commit_request(set_properties(bench=PLACE)))
        targets = self.tables(size, LISTED, "committed")
        return Case(name, f"POST {TABLE}", targets, body=body, writes=True, slow=slow)

    def list_namespaces(self, name: str) -> Case:
        parent = self.children()[0].rpartition("/")[2].partition("%1F")[0]
        return Case(name, LIST_NAMESPACES, [f"{NAMESPACES}?parent={parent}"])

    def create_namespace(self, name: str) -> Case:
        body = text({"namespace": [PLACE], "properties": {"owner": "bench"}})
        return Case(name, CREATE_NAMESPACE, [NAMESPACES], body=body, writes=True)

    def create_table(self, name: str) -> Case:
        targets = [f"{NAMESPACES}/{self.namespace('created')}/tables"]
        return Case(name, CREATE_TABLE, targets, body=text(create_table_request(PLACE)), writes=True)

    def list_tables(self, name: str) -> Case:
        return Case(name, LIST_TABLES, [self.tables(0, LISTED, "listed")[0].rpartition("/")[0]])

    def load(self, name: str, size: int, count: int = 1, **more: Any) -> Case:
        """Load tables in turn."""
        return Case(name, f"GET {TABLE}", self.tables(size, count), **more)

    def _many(self) -> list[str]:
        fill(self._site, 2 * MANY)
        return [f"{NAMESPACES}/{BULK}/tables/t{number}" for number in range(1, MANY + 1)]

    def _namespace(self, name: str) -> str:
        made = unique_name(name)
        self._post(NAMESPACES, {"namespace": [made], "properties": {"owner": "bench"}})
        return made

    def _children(self) -> list[str]:
        """A hundred namespaces in one."""
        parent, names = self.namespace("parent"), [f"child_{number}" for number in range(LISTED)]
        for name in names:
            self._post(NAMESPACES, {"namespace": [parent, name], "properties": {"owner": "bench"}})
        return [f"{NAMESPACES}/{parent}%1F{name}" for name in names]

    def _tables(self, size: int, count: int, space: str = "tables") -> list[str]:
        """Make tables whose documents are close to ``size`` bytes, almost all of it snapshots.

        They keep no log of earlier metadata files, so that commits do not make them longer.
        """
        namespace = self.namespace(space)
        return [
            self._table(f"{NAMESPACES}/{namespace}/tables", f"t{size}_{number}", size)
            for number in range(count)
        ]

    def _table(self, tables: str, name: str, size: int) -> str:
        columns = [field(number, f"column_{number}", "string") for number in range(1, 11)]
        properties = {"write.metadata.previous-versions-max": "1", "bench": PLACE}
        request = create_table_request(name, schema=schema(*columns), properties=properties)
        answer = self._post(tables, request)
        for updates in batches(list(snapshots(max(0, size - 2_000) // SNAPSHOT_BYTES))):
            self._post(f"{tables}/{name}", commit_request(*updates))
        self._folders.setdefault(f"{tables}/{name}", []).append(folder_of(answer["metadata-location"]))
        return f"{tables}/{name}"

    def tidy(self, case: Case) -> None:
        """Delete the metadata files that a case's tables have left behind."""
        for target in case.targets if case.operation == f"POST {TABLE}" else ():
            for folder in self._folders[target]:
                *old, _ = sorted(folder.glob("*.metadata.json"), key=lambda file: file.name)
                for file in old:
                    file.unlink(missing_ok=True)

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = self.client.post(path, json=body)
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text[:500]}"
        return dict(answer.json())


def text(body: dict[str, Any]) -> str:
    return json.dumps(body, separators=(",", ":"))


def folder_of(location: str) -> Path:
    return Path(location.removeprefix("file://")).parent


def snapshots(count: int) -> Iterator[dict[str, Any]]:
    """Updates that add ``count`` snapshots, each the child of the one before.

    Ids, file names and counts are as unlike one another as real ones, so that they compress as those do; every run
    has the same.
    """
    chance, parent, files, records = Random(count), None, 0, 0
    for number in range(1, count + 1):
        own, added, size = (
            chance.getrandbits(62),
            chance.randrange(1, 50_000),
            chance.randrange(1_000, 10_000_000),
        )
        files, records = files + 1, records + added
        snapshot = {
            "snapshot-id": own,
            "sequence-number": number,
            "timestamp-ms": 1_700_000_000_000 + number * 60_000 + chance.randrange(60_000),
            "manifest-list": f"file:///warehouse/bench/metadata/snap-{own}-1-{UUID(int=chance.getrandbits(128))}.avro",
            "summary": {
                "operation": "append",
                "added-data-files": "1",
                "added-records": str(added),
                "added-files-size": str(size),
                "changed-partition-count": "1",
                "total-records": str(records),
                "total-files-size": str(records * 200),
                "total-data-files": str(files),
            },
            "schema-id": 0,
        }
        yield {
            "action": "add-snapshot",
            "snapshot": snapshot | ({"parent-snapshot-id": parent} if parent else {}),
        }
        parent = own


def batches(updates: list[dict[str, Any]], size: int = 2_000) -> Iterator[list[dict[str, Any]]]:
    return (updates[start : start + size] for start in range(0, len(updates), size))


Maker = Callable[[Content, str], Case]
CASES: dict[str, Maker] = {
    "health": lambda _, name: Case(name, "GET /health", ["/health"]),
    "namespace": lambda content, name: Case(name, LOAD_NAMESPACE, content.children()[:ROTATED]),
    "head_table": lambda content, name: Case(name, f"HEAD {TABLE}", content.tables(5_000, ROTATED), 204),
    "table_5k": lambda content, name: content.load(name, 5_000, ROTATED),
    "many_tables": lambda content, name: Case(name, f"GET {TABLE}", content.many()),
    "table_304": lambda content, name: content.load(name, 5_000, ROTATED, status=304, conditional=True),
    "list_namespaces": Content.list_namespaces,
    "list_tables": Content.list_tables,
    "table_200k": lambda content, name: content.load(name, 200_000, plain=True),
    "table_200k_gzip": lambda content, name: content.load(name, 200_000),
    "table_2m": lambda content, name: content.load(name, 2_000_000, plain=True, slow=True),
    "table_2m_gzip": lambda content, name: content.load(name, 2_000_000),
    "create_namespace": Content.create_namespace,
    "create_table": Content.create_table,
    "commit_5k": lambda content, name: content.commit(name, 5_000),
    "commit_500k": lambda content, name: content.commit(name, 500_000, slow=True),
}
"""What makes the content of each case and says what it asks."""
