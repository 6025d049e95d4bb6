"""The stored reports of clients about a table."""

import re
from typing import Any

import msgspec

from app.api.answers import Response, json_answer
from app.api.context import catalog, warehouse
from app.api.declarations import PAGES, Parameter
from app.api.management.operations import ManagementOperations
from app.api.needs import needs
from app.api.pages import requested_page
from app.api.parameters import text_parameter, time_parameter
from app.api.schemas.management_metric_reports import ListMetricReportsResponseSchema
from app.auth.privileges import Privilege
from app.catalog import metric_reports
from app.catalog.metric_reports import ReportFilter, StoredReport
from app.errors import BadRequestException, NoSuchTableException
from app.identifiers import TableIdentifier

resource = ManagementOperations("metrics")
MOST_LISTED = 100
_KEY = re.compile(r"([0-9]{1,18}) ([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")
_TIME = {"type": "integer", "format": "int64", "minimum": 0}
REPORT_TYPE = Parameter(
    "report-type", "query", "Only reports of this type: `scan-report` or `commit-report`."
)
SINCE = Parameter(
    "since-ms", "query", "Only reports from this time on, in milliseconds since the epoch.", _TIME
)
UNTIL = Parameter(
    "until-ms", "query", "Only reports before this time, in milliseconds since the epoch.", _TIME
)


@resource.operation(
    "GET",
    "/warehouses/{warehouse}/namespaces/{namespace}/tables/{table}/metrics",
    "List the reports about a table, newest first",
    takes=(*PAGES, REPORT_TYPE, SINCE, UNTIL),
    answers={200: ListMetricReportsResponseSchema},
    fails=(NoSuchTableException,),
    needs=needs(Privilege.READ_METADATA, on="table"),
)
def list_metric_reports(table: TableIdentifier) -> Response:
    wanted = _requested_filter()
    page = requested_page("metrics", warehouse().id, *table.namespace, table.name, *wanted)
    # Unlike names, reports are long and without end.
    page = page._replace(size=min(page.size or MOST_LISTED, MOST_LISTED))
    found = metric_reports.list_reports(
        catalog(), warehouse(), table, wanted, _key(page.after), page.limit or 0
    )
    reports, token = page.cut(found, lambda report: f"{report.at_us} {report.id}")
    return json_answer({"reports": list(map(_shown, reports)), "next-page-token": token})


def _requested_filter() -> ReportFilter:
    since, until = time_parameter("since-ms"), time_parameter("until-ms")
    return ReportFilter(
        text_parameter("report-type"),
        None if since is None else since * 1000,
        None if until is None else until * 1000 - 1,
    )


def _key(after: str | None) -> tuple[int, str] | None:
    if after is None:
        return None
    found = _KEY.fullmatch(after)
    if found is None:
        raise BadRequestException("Invalid pageToken: not a token of this server")
    return int(found[1]), found[2]


def _shown(stored: StoredReport) -> dict[str, Any]:
    return {
        "report-type": stored.report_type,
        "at-ms": stored.at_us // 1000,
        "principal": stored.principal,
        "request-id": stored.request_id,
        "snapshot-id": stored.snapshot_id,
        "report": msgspec.Raw(stored.report.encode()),
    }
