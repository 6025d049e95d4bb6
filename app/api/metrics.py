"""``/metrics``: the figures of the whole node, exposed by prometheus-flask-exporter."""

from collections.abc import Callable

from flask import Flask
from prometheus_flask_exporter.multiprocess import GunicornInternalPrometheusMetrics

from app.api.declarations import Answer, declare
from app.observability.multiprocess import ensure_folder
from app.observability.scrape import EntityCounts, Scrape

declarations = {
    "GET /metrics": declare(
        "The figures of the node, for Prometheus",
        "metrics",
        answers={200: Answer("Exposition", media_types=("text/plain", "application/openmetrics-text"))},
        plain=True,
    )
}


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
) -> NodeMetrics:
    """Register ``GET /metrics`` on ``app``.

    ``count`` counts the catalog's content from the database (asked at a scrape, at most every 5 s per
    worker), ``ready`` says whether the readiness probe would succeed; both must be bounded in time.
    """
    ensure_folder()
    return NodeMetrics(app, Scrape(count, ready))
