"""What Spark reports about its scans and commits, without being asked to."""

from typing import Any

from tests.clients.spark import Engine
from tests.support.process import eventually
from tests.support.server import Client, TestServer


def reports(server: TestServer, namespace: str, table: str, kind: str) -> list[dict[str, Any]]:
    path = f"/management/v1/warehouses/default/namespaces/{namespace}/tables/{table}/metrics"
    with Client(server.url) as client:
        answer = client.get(path, params={"report-type": kind})
    assert answer.status_code == 200, answer.text
    return [item["report"] for item in answer.json()["reports"]]


def test_commit_and_scan_are_reported(spark: Engine, database: str, any_server: TestServer) -> None:
    namespace = database.rpartition(".")[2]
    spark.sql("CREATE TABLE t (id BIGINT, name STRING) USING iceberg")
    spark.sql("INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, 'c')")
    snapshot = spark.value(f"SELECT snapshot_id FROM {database}.t.snapshots")
    assert spark.rows("SELECT name FROM t WHERE id > 1 ORDER BY id") == [("b",), ("c",)]

    (commit,) = eventually(
        lambda: reports(any_server, namespace, "t", "commit-report"), 20, "the commit is reported"
    )
    assert (commit["snapshot-id"], commit["operation"]) == (snapshot, "append")
    assert commit["metrics"]["added-records"]["value"] == 3
    scans = eventually(lambda: reports(any_server, namespace, "t", "scan-report"), 20, "the scan is reported")
    filtered = [scan for scan in scans if "id" in str(scan["filter"])]
    assert filtered, scans
    assert filtered[0]["snapshot-id"] == snapshot
    assert filtered[0]["metrics"]["result-data-files"] == {"unit": "count", "value": 1}
