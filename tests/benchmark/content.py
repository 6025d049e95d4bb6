"""What the benchmark measures against: a namespace of a hundred tables, and tables of known document size."""

from collections.abc import Iterator
from typing import Any

from tests.benchmark.load import Case
from tests.factories import commit_request, create_table_request, field, schema, unique_name
from tests.support.server import Client

SIZES = {"table_5k": 5_000, "table_200k": 200_000, "table_2m": 2_000_000}
LISTED = 100
SNAPSHOT_BYTES = 500


class Content:
    """The catalog's content during one run."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.namespace = unique_name("bench")
        self.created = unique_name("bench_created")

    def fill(self) -> None:
        for name in (self.namespace, self.created):
            self._post("/v1/namespaces", {"namespace": [name], "properties": {"owner": "bench"}})
        for number in range(LISTED):
            self._post(self.tables(), create_table_request(f"t{number}"))
        for name, size in SIZES.items():
            self.create_table_of(name, size)

    def create_table_of(self, name: str, size: int) -> None:
        """Create a table whose document is close to ``size`` bytes; almost all of it is snapshots."""
        columns = [field(number, f"column_{number}", "string") for number in range(1, 11)]
        self._post(self.tables(), create_table_request(name, schema=schema(*columns)))
        for updates in batches(list(snapshots(max(0, size - 2_000) // SNAPSHOT_BYTES))):
            self._post(self.table(name), commit_request(*updates))

    def cases(self) -> list[Case]:
        own = self.tables()
        return [
            Case("health", "/health"),
            Case("namespace", f"/v1/namespaces/{self.namespace}"),
            Case("list", own),
            *(Case(name, self.table(name)) for name in SIZES),
            Case("create_namespace", "/v1/namespaces", "create_namespace"),
            Case("create_table", self.tables(self.created), "create_table"),
            Case("commit", self.table("t"), "commit", LISTED),
        ]

    def tables(self, namespace: str | None = None) -> str:
        return f"/v1/namespaces/{namespace or self.namespace}/tables"

    def table(self, name: str) -> str:
        return f"{self.tables()}/{name}"

    def _post(self, path: str, body: dict[str, Any]) -> None:
        answer = self._client.post(path, json=body)
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text[:500]}"


def snapshots(count: int) -> Iterator[dict[str, Any]]:
    """Updates that add ``count`` snapshots, each the child of the one before."""
    for number in range(1, count + 1):
        snapshot = {
            "snapshot-id": 7_000_000_000_000_000_000 + number,
            "sequence-number": number,
            "timestamp-ms": 1_700_000_000_000 + number * 1000,
            "manifest-list": f"file:///warehouse/bench/metadata/snap-{number:019d}-1-{'m' * 36}.avro",
            "summary": {
                "operation": "append",
                "added-data-files": "1",
                "added-records": "1000",
                "added-files-size": "123456",
                "changed-partition-count": "1",
                "total-records": str(number * 1000),
                "total-files-size": str(number * 123456),
                "total-data-files": str(number),
            },
            "schema-id": 0,
        }
        if number > 1:
            snapshot["parent-snapshot-id"] = 7_000_000_000_000_000_000 + number - 1
        yield {"action": "add-snapshot", "snapshot": snapshot}


def batches(updates: list[dict[str, Any]], size: int = 2_000) -> Iterator[list[dict[str, Any]]]:
    return (updates[start : start + size] for start in range(0, len(updates), size))
