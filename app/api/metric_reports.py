"""Reports of clients about their scans and commits."""

from typing import Any

from flask import request
from marshmallow import Schema

from app.api.answers import Response, no_content
from app.api.at_hand import at_hand
from app.api.authentication import principal
from app.api.bodies import check_members, read_body
from app.api.context import catalog, request_id, services, warehouse
from app.api.names import name_of
from app.api.needs import needs
from app.api.operations import Operations
from app.api.schemas.metric_reports import CommitReportSchema, ReportMetricsRequestSchema, ScanReportSchema
from app.auth.privileges import Privilege
from app.catalog import metric_reports
from app.catalog.metric_reports import Report
from app.errors import NoSuchTableException, RequestTooLargeException
from app.identifiers import TableIdentifier
from app.observability.logs import get_logger
from app.observability.metrics import metrics

log = get_logger(__name__)
resource = Operations("metrics")
SCHEMAS: dict[str, type[Schema]] = {"scan-report": ScanReportSchema, "commit-report": CommitReportSchema}
LARGEST_REPORT = 1 << 20
_COUNTERS = ("result-data-files", "result-delete-files", "total-file-size-bytes")


@resource.operation(
    "POST",
    "/namespaces/{namespace}/tables/{table}/metrics",
    "Report the metrics of a scan or a commit",
    body="ReportMetricsRequest",
    fails=(NoSuchTableException,),
    needs=needs(Privilege.READ_METADATA, on="table"),
)
def report_metrics(table: TableIdentifier) -> Response:
    report = _read_report()
    metric_reports.report_metrics(
        catalog(),
        services().reports,
        warehouse(),
        table,
        report,
        principal=principal().name,
        request_id=request_id(),
    )
    metrics.metric_reports.inc(report.report_type if report.report_type in SCHEMAS else "other")
    _log(table, report)
    return no_content()


def _read_report() -> Report:
    """Return the request's report; one of a type that we do not know is taken as it is."""
    size = len(request.get_data(cache=True))
    if size > LARGEST_REPORT:
        raise RequestTooLargeException(
            f"The report is too large: {size} bytes; {LARGEST_REPORT} bytes are the most that is kept"
        )
    report_type = name_of(read_body(ReportMetricsRequestSchema)["report_type"].lower(), "report-type")
    checked: dict[str, Any] = {}
    if report_type in SCHEMAS:
        checked = check_members(SCHEMAS[report_type], at_hand().body)
    return Report(report_type, checked.get("snapshot_id"), request.get_data())


def _log(table: TableIdentifier, report: Report) -> None:
    figures: dict[str, Any] = at_hand().body["metrics"] if report.report_type in SCHEMAS else {}
    shown = {
        name.replace("-", "_"): figures[name]["value"]
        for name in _COUNTERS
        if "value" in figures.get(name, ())
    }
    timer = figures.get("total-planning-duration", {})
    if timer.get("time-unit") == "nanoseconds":
        shown["planning_duration_ms"] = timer["total-duration"] // 1_000_000
    log.info(
        "metrics reported",
        report_type=report.report_type,
        namespace=str(table.namespace),
        table=table.name,
        snapshot_id=report.snapshot_id,
        **shown,
    )
