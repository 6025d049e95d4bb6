"""POST …/metrics: what clients report about scans and commits, and where to read it later."""

import json
import re
import signal
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import MakeServer
from tests.contract.calls import (
    Tabular,
    assert_error,
    make_namespace,
    make_table,
    namespace_path,
    no_content,
    ok,
    raw_request,
    table_path,
)
from tests.factories import unique_name
from tests.support.postgres import DatabaseAddress, Postgres
from tests.support.process import eventually
from tests.support.server import Client, TestServer

BAD = "BadRequestException"
WAREHOUSES = "/management/v1/warehouses"
TIMER = {"time-unit": "nanoseconds", "count": 1, "total-duration": 2_644_235_116}
SCAN = {
    "report-type": "scan-report",
    "table-name": "cat.ns.t",
    "snapshot-id": 9_007_199_254_740_993,
    "filter": {"type": "gt", "term": "id", "value": 5},
    "schema-id": 0,
    "projected-field-ids": [1, 2],
    "projected-field-names": ["id", "größe"],
    "metrics": {
        "total-planning-duration": TIMER,
        "result-data-files": {"unit": "count", "value": 9_223_372_036_854_775_807},
    },
    "metadata": {"engine-name": "spark"},
}
COMMIT = {
    "report-type": "commit-report",
    "table-name": "cat.ns.t",
    "snapshot-id": 4,
    "sequence-number": 2,
    "operation": "append",
    "metrics": {"total-duration": TIMER, "added-data-files": {"unit": "count", "value": 1}},
}


def stored_path(table: Tabular, warehouse: str = "default") -> str:
    return WAREHOUSES + f"/{warehouse}" + table.path.removeprefix("/v1") + "/metrics"


def stored(table: Tabular, count: int, query: str = "") -> list[dict[str, Any]]:
    """Wait until ``count`` reports are stored and return them."""

    def found() -> list[dict[str, Any]] | None:
        reports = ok(table.client.get(stored_path(table) + query))["reports"]
        return reports if len(reports) >= count else None

    return eventually(found, 10, f"{count} reports are stored")


def report(table: Tabular, body: dict[str, Any], **options: Any) -> None:
    no_content(table.client.post(f"{table.path}/metrics", json=body, **options))


def test_reports_are_stored_with_who_and_when(table: Tabular) -> None:
    before = int(time.time() * 1000)
    report(table, SCAN, headers={"X-Request-ID": "scan-1"})
    (first,) = stored(table, 1)
    assert before <= first.pop("at-ms") <= int(time.time() * 1000)
    assert first == {
        "report-type": "scan-report",
        "principal": "anonymous",
        "request-id": "scan-1",
        "snapshot-id": SCAN["snapshot-id"],
        "report": SCAN,
    }
    report(table, COMMIT)
    newest, _ = stored(table, 2)
    assert (newest["report-type"], newest["snapshot-id"], newest["report"]) == ("commit-report", 4, COMMIT)


@pytest.mark.lenient("filters are not interpreted")
def test_report_is_kept_as_it_was_sent(server: TestServer, table: Tabular) -> None:
    """With numbers beyond any float, members that nobody knows, and in the order of the client."""
    text = json.dumps({**SCAN, "zz": 10**400, "filter": {"type": "or", "left": True, "right": {"type": "x"}}})
    answer = raw_request(server, "POST", f"{table.path}/metrics", text.encode())
    assert answer.status_code == 204, answer.text
    stored(table, 1)
    assert text in table.client.get(stored_path(table)).text


@pytest.mark.parametrize("given", ["Scan-Report", "COMMIT-REPORT"])
def test_types_in_any_case(table: Tabular, given: str) -> None:
    body = SCAN if given == "Scan-Report" else COMMIT
    report(table, {**body, "report-type": given})
    assert stored(table, 1)[0]["report-type"] == given.lower()


@pytest.mark.lenient("a newer client may report more")
def test_types_of_the_future_are_taken_as_they_are(table: Tabular) -> None:
    report(table, {"report-type": "compaction-report", "anything": [1]})
    (found,) = stored(table, 1)
    assert (found["report-type"], found["snapshot-id"]) == ("compaction-report", None)
    assert found["report"]["anything"] == [1]


@pytest.mark.lenient("filters are not interpreted")
@pytest.mark.parametrize("value", [True, False, {"type": "true"}, {"type": "apply", "function": ["a"]}])
def test_filters_of_any_form(table: Tabular, value: Any) -> None:
    report(table, {**SCAN, "filter": value})


REQUIRED = {
    "scan": [
        "table-name",
        "snapshot-id",
        "filter",
        "schema-id",
        "projected-field-ids",
        "projected-field-names",
    ],
    "commit": ["table-name", "snapshot-id", "sequence-number", "operation", "metrics"],
}


@pytest.mark.parametrize(
    ("kind", "member"), [(kind, member) for kind, members in REQUIRED.items() for member in members]
)
def test_missing_member(table: Tabular, kind: str, member: str) -> None:
    body = {**(SCAN if kind == "scan" else COMMIT), member: None}
    answer = table.client.post(f"{table.path}/metrics", json=body)
    assert_error(answer, 400, BAD, f"Invalid request body: {member}: Missing data for required field")


WRONG = [
    ({"report-type": None}, "report-type: Missing data for required field"),
    ({"report-type": 1}, "report-type: expected a string, got a number"),
    ({"table-name": 1}, "table-name: expected a string, got a number"),
    ({"snapshot-id": "1"}, "snapshot-id: expected a whole number, got a string"),
    ({"snapshot-id": 1.0}, "snapshot-id: expected a whole number, got a number"),
    ({"snapshot-id": True}, "snapshot-id: expected a whole number, got a boolean"),
    ({"snapshot-id": 2**63}, "snapshot-id: expected a number of 64 bits, got 9223372036854775808"),
    ({"filter": "x"}, "filter: expected true, false or an object with a type, got a string"),
    ({"filter": {}}, "filter: expected true, false or an object with a type, got an object"),
    ({"schema-id": []}, "schema-id: expected a whole number, got an array"),
    ({"projected-field-ids": 1}, "projected-field-ids: expected an array, got a number"),
    ({"projected-field-ids": [1, "2"]}, "projected-field-ids: item 1: expected a whole number, got a string"),
    ({"projected-field-names": [1]}, "projected-field-names: expected an array of strings"),
    ({"metrics": []}, "metrics: expected an object, got an array"),
    ({"metrics": {"x": 1}}, "metrics: 'x': expected a counter or a timer, got a number"),
    (
        {"metrics": {"x": {}}},
        "metrics: 'x': time-unit is missing; a timer has time-unit, count, total-duration",
    ),
    ({"metrics": {"x": {"value": 1}}}, "metrics: 'x': unit is missing; a counter has unit, value"),
    (
        {"metrics": {"x": {"unit": "count", "value": "1"}}},
        "metrics: 'x': value: expected a whole number, got a string",
    ),
    (
        {"metrics": {"x": {**TIMER, "time-unit": 5}}},
        "metrics: 'x': time-unit: expected a string, got a number",
    ),
    ({"metadata": {"a": 1}}, "metadata: the value of 'a' must be a string, got a number"),
]


@pytest.mark.parametrize(("change", "message"), WRONG)
def test_malformed_report(table: Tabular, change: dict[str, Any], message: str) -> None:
    answer = table.client.post(f"{table.path}/metrics", json={**SCAN, **change})
    assert_error(answer, 400, BAD, f"Invalid request body: {message}")


def test_bodies_that_are_no_report(server: TestServer, table: Tabular) -> None:
    for body in (b"", b"[]", b"nonsense", b'"scan-report"'):
        assert_error(raw_request(server, "POST", f"{table.path}/metrics", body), 400, BAD)
    answer = table.client.post(f"{table.path}/metrics", json={"report-type": "x" * 256})
    assert_error(answer, 400, BAD, re.compile("^Invalid report-type: 256 characters exceed"))


def test_missing_table(client: Client, namespace: str) -> None:
    for path in (table_path(namespace, "none"), table_path(unique_name("no"), "t")):
        assert_error(client.post(f"{path}/metrics", json=SCAN), 404, "NoSuchTableException")
        answer = client.get(f"{WAREHOUSES}/default{path.removeprefix('/v1')}/metrics")
        assert_error(answer, 404, "NoSuchTableException")


def test_reports_follow_the_table_to_its_new_name(client: Client, table: Tabular) -> None:
    report(table, SCAN)
    stored(table, 1)
    ends = {"source": table.name, "destination": "renamed"}
    body = {end: {"namespace": [table.namespace], "name": name} for end, name in ends.items()}
    no_content(client.post("/v1/tables/rename", json=body))
    moved = Tabular(client, table.namespace, "renamed", table_path(table.namespace, "renamed"))
    assert len(stored(moved, 1)) == 1
    again = make_table(client, table.namespace, table.name)
    assert ok(client.get(stored_path(again)))["reports"] == []


@pytest.fixture
def busy_reports(table: Tabular) -> Tabular:
    """A table with seven reports, the fourth about a commit."""
    for number in range(7):
        report(table, {**(COMMIT if number == 3 else SCAN), "snapshot-id": number})
    stored(table, 7)
    return table


def test_pages_newest_first(busy_reports: Tabular) -> None:
    path, token, seen = stored_path(busy_reports), "", []
    while token is not None:
        page = ok(busy_reports.client.get(path, params={"pageSize": 3, "pageToken": token}))
        seen.append([item["snapshot-id"] for item in page["reports"]])
        token = page["next-page-token"]
        if token:  # what comes in between does not move the pages
            report(busy_reports, {**SCAN, "snapshot-id": 100})
    assert [len(page) for page in seen] == [3, 3, 1]
    assert [number for page in seen for number in page] == [6, 5, 4, 3, 2, 1, 0]


def test_no_page_is_endless(server: TestServer, table: Tabular) -> None:
    assert server.database is not None
    query = """
        INSERT INTO metric_reports (
            id, at, warehouse_id, table_id, namespace, name, report_type, principal, request_id, report
        )
        SELECT gen_random_uuid(), now(), warehouse_id, id, ARRAY['n'], name, 'scan-report', 'p', 'r', '{}'
        FROM tabulars, generate_series(1, 150) WHERE name = %s
    """
    server.database.query(query, table.name)
    for question in ("", "?pageSize=120"):
        page = ok(table.client.get(stored_path(table) + question))
        assert len(page["reports"]) == 100
        rest = ok(table.client.get(stored_path(table), params={"pageToken": page["next-page-token"]}))
        assert (len(rest["reports"]), rest["next-page-token"]) == (50, None)


def test_too_large_report(table: Tabular) -> None:
    answer = table.client.post(f"{table.path}/metrics", json={**SCAN, "metadata": {"a": "x" * (1 << 20)}})
    assert_error(
        answer, 413, "RequestTooLargeException", re.compile("^The report is too large: 1049[0-9]+ bytes")
    )


def test_reports_of_one_type_and_time(busy_reports: Tabular) -> None:
    path, client = stored_path(busy_reports), busy_reports.client

    def shown(**query: Any) -> list[int]:
        return [item["snapshot-id"] for item in ok(client.get(path, params=query))["reports"]]

    everything = ok(client.get(path))["reports"]
    times = [item["at-ms"] for item in everything]
    assert times == sorted(times, reverse=True)
    assert shown(**{"report-type": "commit-report"}) == [3]
    assert shown(**{"report-type": "nothing"}) == []
    assert shown(**{"since-ms": times[-1]}) == [6, 5, 4, 3, 2, 1, 0]
    assert shown(**{"since-ms": times[0] + 1}) == []
    assert shown(**{"until-ms": times[-1]}) == []
    assert shown(**{"until-ms": times[0] + 1}) == [6, 5, 4, 3, 2, 1, 0]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("since-ms=x", "Invalid since-ms 'x': expected milliseconds since the epoch"),
        ("until-ms=-1", "Invalid until-ms '-1': expected milliseconds since the epoch"),
        ("until-ms=1e3", "Invalid until-ms '1e3': expected milliseconds since the epoch"),
        (
            "since-ms=99999999999999999",
            "Invalid since-ms '99999999999999999': expected milliseconds since the epoch",
        ),
        ("pageSize=0", "Invalid pageSize '0': expected a whole number of at least 1"),
        ("pageToken=nonsense", "Invalid pageToken: not a token of this server"),
    ],
)
def test_malformed_question(table: Tabular, query: str, message: str) -> None:
    assert_error(table.client.get(f"{stored_path(table)}?{query}"), 400, BAD, message)


def test_token_is_good_for_its_own_question_only(busy_reports: Tabular) -> None:
    client, path = busy_reports.client, stored_path(busy_reports)
    token = ok(client.get(path, params={"pageSize": 1}))["next-page-token"]
    other = {"pageSize": 1, "pageToken": token, "report-type": "scan-report"}
    assert_error(client.get(path, params=other), 400, BAD, "Invalid pageToken: it belongs to another listing")


def test_unknown_warehouse(client: Client, table: Tabular) -> None:
    assert_error(client.get(stored_path(table, "nobody")), 404, "NoSuchWarehouseException")


def test_rows_lie_in_the_partition_of_their_day(server: TestServer, table: Tabular) -> None:
    report(table, SCAN)
    stored(table, 1)
    assert server.database is not None
    query = """
        SELECT r.tableoid::regclass::text, r.at, r.namespace, r.name FROM metric_reports r
        JOIN tabulars t ON t.id = r.table_id WHERE t.name = %s
    """
    ((partition, at, namespace, name),) = server.database.query(query, table.name)
    assert partition == f"metric_reports_{at:%Y%m%d}"
    assert (namespace, name) == ([table.namespace], table.name)


@pytest.mark.lenient("a newer client may report more")
def test_reports_are_counted_and_logged(server: TestServer, table: Tabular) -> None:
    name = "bingsan_metric_reports_total"
    before = server.metric(name, type="commit-report")
    report(table, COMMIT)
    report(table, SCAN)
    report(table, {"report-type": "other-report"})
    eventually(lambda: server.metric(name, type="commit-report") == before + 1, 10, "the report is counted")
    eventually(lambda: server.metric(name, type="other") >= 1, 10, "the other one, too")

    def line() -> dict[str, Any] | None:
        return next(
            (it for it in server.logs() if it["msg"] == "metrics reported" and it["table"] == table.name),
            None,
        )

    logged = eventually(line, 10, "the report is logged")
    assert (logged["namespace"], logged["report_type"]) == (table.namespace, "commit-report")


@pytest.fixture
def own(make_server: MakeServer) -> Iterator[TestServer]:
    """A server whose database goes away and whose workers stop."""
    with make_server(workers=1, settings={"database.statement_timeout": "500ms"}) as running:
        yield running


def count_rows(server: TestServer) -> int:
    assert server.database is not None
    ((count,),) = server.database.query("SELECT count(*) FROM metric_reports")
    return int(count)


def test_reports_of_the_last_moment_are_stored(own: TestServer) -> None:
    """SIGTERM comes before the buffer was written."""
    with Client(own.url) as client:
        table = make_table(client, make_namespace(client))
        for _ in range(20):
            report(table, SCAN)
    assert own.stop(signal.SIGTERM) == 0
    assert count_rows(own) == 20


def test_outage_loses_no_report_and_no_worker(own: TestServer, postgres: Postgres) -> None:
    """What was taken before the outage is written after it; during the outage reports are refused like all else."""
    assert own.database is not None
    workers = own.workers()
    with Client(own.url) as client:
        table = make_table(client, make_namespace(client))
        lock = own.database.connect()
        with lock, lock.cursor() as cursor:
            cursor.execute("LOCK TABLE metric_reports IN ACCESS EXCLUSIVE MODE")
            for _ in range(700):
                report(table, SCAN)
            ok(client.get(table.path))
        lock.close()
        with postgres.paused():
            answer = client.post(f"{table.path}/metrics", json=SCAN)
            assert_error(answer, 503, "ServiceUnavailableException")
        eventually(lambda: count_rows(own) == 700, 20, "all reports are stored, each once")
        assert own.workers() == workers
        ok(client.get(f"{namespace_path(table.namespace)}/tables"))


def test_full_buffer_drops_and_counts(own: TestServer) -> None:
    assert own.database is not None
    big = {**SCAN, "metadata": {"text": "x" * 1_000_000}}
    with Client(own.url) as client:
        table = make_table(client, make_namespace(client))
        lock = own.database.connect()
        with lock, lock.cursor() as cursor:
            cursor.execute("LOCK TABLE metric_reports IN ACCESS EXCLUSIVE MODE")
            for _ in range(20):
                report(table, big)
            name = "bingsan_metric_reports_dropped_total"
            eventually(lambda: own.metric(name, reason="full") == 12, 10, "what does not fit is counted")
        lock.close()
        eventually(lambda: count_rows(own) == 8, 20, "what fitted is stored")
        report(table, SCAN)
        eventually(lambda: count_rows(own) == 9, 20, "there is room again")


OLD = """
    SELECT create_day_partition('metric_reports', current_date - 40);
    INSERT INTO metric_reports (
        id, at, warehouse_id, table_id, namespace, name, report_type, principal, request_id, report
    )
    SELECT gen_random_uuid(), now() - make_interval(days => age), 1, age, ARRAY['n'], 't', 'scan-report', 'a', 'r', '{}'
    FROM unnest(ARRAY[60, 40, 32, 29, 10]) AS age
"""


def test_old_reports_go(make_server: MakeServer, database: DatabaseAddress) -> None:
    """Those in the partition of their day and those that had none, once ``metrics.report_retention`` is over."""
    with database.connect() as connection, connection.cursor() as cursor:
        cursor.execute(OLD)
    connection.close()
    with make_server(database=database, workers=1):
        ages = "SELECT array_agg(table_id ORDER BY table_id) FROM metric_reports"
        eventually(lambda: database.query(ages) == [([10, 29],)], 20, "only the younger reports are left")
        gone = "SELECT to_regclass('metric_reports_' || to_char(current_date - 40, 'YYYYMMDD'))"
        assert database.query(gone) == [(None,)]
