"""Is the process alive, and may it get requests? Outside ``/v1``, never authenticated, never slow."""

from dataclasses import replace

from flask import Blueprint

from app.api.answers import Response, json_answer
from app.api.context import services
from app.api.declarations import declare
from app.api.operations import keep_answer
from app.observability.state import process

blueprint = Blueprint("health", __name__)
_ALIVE = declare("Ask whether the process answers", "health", answers={200: "Health"}, plain=True)
_READY = declare(
    "Ask whether the node may get requests",
    "ready",
    answers={200: "Readiness", 503: "Readiness"},
    plain=True,
)
declarations = {
    "GET /health": _ALIVE,
    "GET /health/live": replace(_ALIVE, name="health_live"),
    "GET /ready": _READY,
    "GET /health/ready": replace(_READY, name="health_ready"),
}


@blueprint.get("/health")
@blueprint.get("/health/live")
def health() -> Response:
    """200 while the process answers at all."""
    keep_answer()
    return json_answer({"status": "healthy"})


@blueprint.get("/ready")
@blueprint.get("/health/ready")
def ready() -> Response:
    """200 when the database answers and no stop has been asked for, else 503; within a tenth of a second."""
    database = services().probe.is_alive()
    answer = {
        "status": "ready" if database and not process.draining else "not ready",
        "checks": {"database": "healthy" if database else "failed"},
    }
    if process.draining:
        answer["reason"] = "shutting down"
    return json_answer(answer, 200 if answer["status"] == "ready" else 503)
