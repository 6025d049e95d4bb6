"""``/metrics``: the figures of the whole node, exposed by prometheus-flask-exporter."""

from collections.abc import Callable
from functools import partial

from flask import Flask, request
from prometheus_flask_exporter.multiprocess import GunicornInternalPrometheusMetrics

from app.api.declarations import Answer, declare
from app.config import Settings
from app.errors import ForbiddenException
from app.observability.forwarding import CLIENT_ADDRESS, Networks
from app.observability.multiprocess import ensure_folder
from app.observability.scrape import EntityCounts, Scrape

declarations = {
    "GET /metrics": declare(
        "The figures of the node, for Prometheus",
        "metrics",
        fails=(ForbiddenException,),
        answers={200: Answer("Exposition", media_types=("text/plain", "application/openmetrics-text"))},
        plain=True,
    )
}


_THIS_MACHINE = ("127.0.0.0/8", "::1")


def readers_of(settings: Settings) -> Networks | None:
    """Who may read the figures; None is everybody."""
    return Networks((*_THIS_MACHINE, *settings.metrics.allowed_addresses)) if settings.auth.enabled else None


def _check_reader(readers: Networks) -> None:
    if request.path == "/metrics" and request.environ[CLIENT_ADDRESS] not in readers:
        raise ForbiddenException("The figures are not for this address (metrics.allowed_addresses)")


class NodeMetrics(GunicornInternalPrometheusMetrics):  # type: ignore[misc]
    """The exporter's endpoint without its per-request wrappers: recording is ours (``app.observability``)."""

    def __init__(self, app: Flask, scrape: Scrape) -> None:
        self._scrape = scrape
        super().__init__(app, export_defaults=False)

    def generate_metrics(
        self, accept_header: str | None = None, _names: list[str] | None = None
    ) -> tuple[str, str]:
        return self._scrape.text(accept_header)


def init_metrics(
    app: Flask,
    *,
    count: Callable[[], EntityCounts] | None = None,
    ready: Callable[[], bool] | None = None,
    readers: Networks | None = None,
) -> NodeMetrics:
    """Register ``GET /metrics`` on ``app``.

    ``count`` counts the catalog's content from the database (asked at a scrape, at most every 5 s per
    worker), ``ready`` says whether the readiness probe would succeed; both must be bounded in time.
    """
    ensure_folder()
    if readers is not None:
        app.before_request(partial(_check_reader, readers))
    return NodeMetrics(app, Scrape(count, ready))
