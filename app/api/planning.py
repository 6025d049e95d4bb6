"""Scan planning: operations that this version knows but does not offer, and so does not announce."""

from typing import Any, NoReturn

from app.api.answers import Response
from app.api.needs import needs
from app.api.operations import Operations
from app.auth.privileges import Privilege
from app.errors import NoSuchTableException, UnsupportedOperationException
from app.identifiers import TableIdentifier

PLAN = "/namespaces/{namespace}/tables/{table}/plan"
REFUSED: dict[str, Any] = {
    "announced": False,
    "answers": {},
    "fails": (NoSuchTableException, UnsupportedOperationException),
    "needs": needs(Privilege.READ_DATA, on="table"),
}

resource = Operations("planning")


@resource.operation("POST", PLAN, "Plan a scan", **REFUSED)
def plan_table_scan(table: TableIdentifier) -> Response:
    _refuse(table)


@resource.operation("GET", f"{PLAN}/{{plan-id}}", "Fetch what came of planning", **REFUSED)
def fetch_planning_result(table: TableIdentifier) -> Response:
    _refuse(table)


@resource.operation("DELETE", f"{PLAN}/{{plan-id}}", "Cancel planning", **REFUSED)
def cancel_planning(table: TableIdentifier) -> Response:
    _refuse(table)


@resource.operation(
    "POST", "/namespaces/{namespace}/tables/{table}/tasks", "Fetch the tasks of a plan", **REFUSED
)
def fetch_scan_tasks(table: TableIdentifier) -> Response:
    _refuse(table)


def _refuse(table: TableIdentifier) -> NoReturn:
    raise UnsupportedOperationException(
        f"Scan planning is not supported by this server: plan the scan of {table} in the client"
    )
