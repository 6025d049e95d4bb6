"""Jobs: what the service does on its own account."""

from datetime import datetime
from typing import Any

import msgspec

from app.api.answers import Response, json_answer, no_content
from app.api.authentication import session
from app.api.authorization import authorize
from app.api.context import caller, catalog, warehouse
from app.api.declarations import IDEMPOTENCY_KEY, PAGES
from app.api.management.operations import LARGEST_ID, ManagementOperations
from app.api.needs import ADMINISTRATION, asks
from app.api.pages import requested_page
from app.api.schemas.management_jobs import JobSchema, ListJobsResponseSchema
from app.catalog import job_management as management
from app.catalog.times import epoch_ms
from app.db import Row
from app.errors import ConflictException, NotFoundException

resource = ManagementOperations("jobs")


@resource.operation(
    "GET",
    "/jobs",
    "List jobs, the newest first",
    takes=PAGES,
    answers={200: ListJobsResponseSchema},
    needs=ADMINISTRATION,
)
def list_jobs() -> Response:
    page = requested_page("jobs")
    found = management.list_jobs(catalog(), page.after_id(default=LARGEST_ID), page.limit)
    jobs, token = page.cut(list(found), lambda row: str(row.id))
    return json_answer({"jobs": list(map(_shown, jobs)), "next-page-token": token})


@resource.operation(
    "GET",
    "/jobs/{id}",
    "Tell how far a job is, and how it ended",
    answers={200: JobSchema},
    fails=(NotFoundException,),
    needs=asks("`administer` on the server, or to have asked for the job"),
)
def load_job(id: int) -> Response:
    _check_asked(id)
    return json_answer(_shown(management.load_job(catalog(), id)))


@resource.operation(
    "DELETE",
    "/jobs/{id}",
    "Cancel a job; what it has done stays done",
    takes=(IDEMPOTENCY_KEY,),
    fails=(NotFoundException, ConflictException),
    needs=asks("`administer` on the server, or to have asked for the job"),
)
def cancel_job(id: int) -> Response:
    _check_asked(id)
    management.cancel_job(catalog(), caller(), warehouse(), id)
    return no_content()


def _check_asked(job_id: int) -> None:
    """Whose job it is may see to it, as may who administers the server; others do not even learn of it."""
    principal_id = session().principal.id
    if principal_id is None or management.who_asked(catalog(), job_id) != principal_id:
        authorize(ADMINISTRATION, {})


def _shown(row: Row) -> dict[str, Any]:
    return {
        "id": row.id,
        "kind": row.kind,
        "status": row.status,
        "attempts": row.attempts,
        "progress": msgspec.json.decode(row.progress or "{}"),
        "message": row.message,
        "created-at-ms": _ms(row.created_at),
        "started-at-ms": _ms(row.started_at),
        "finished-at-ms": _ms(row.finished_at),
    }


def _ms(at: datetime | None) -> int | None:
    return None if at is None else epoch_ms(at)
