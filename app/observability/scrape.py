"""One scrape: the figures of all workers of the node, and of the catalog's content, as Prometheus text."""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Final, NamedTuple

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.multiprocess import MultiProcessCollector

from app.observability.lifecycle import exposition
from app.observability.logs import get_logger
from app.observability.metrics import OTHER
from app.observability.multiprocess import ensure_folder, reading
from app.observability.native import beside_event_loop
from app.observability.redaction import metric_label

CONTENT_AGE: Final = 5.0
MOST_NAMESPACES: Final = 1_000

log = get_logger("metrics")


class EntityCounts(NamedTuple):
    """What the catalog holds: the number of namespaces; tables and views by dotted namespace name."""

    namespaces: int
    tables: Mapping[str, int]
    views: Mapping[str, int]


class ContentCollector:
    """Gauges counted from the database at a scrape, at most ``CONTENT_AGE`` seconds old; none when it
    fails."""

    def __init__(self, count: Callable[[], EntityCounts]) -> None:
        self._count = count
        self._counts: EntityCounts | None = None
        self._expires = 0.0

    def collect(self) -> Iterator[GaugeMetricFamily]:
        counts = self._current()
        if counts is None:
            return
        namespaces = GaugeMetricFamily("iceberg_namespaces_total", "Namespaces in the catalog.")
        namespaces.add_metric([], counts.namespaces)
        yield namespaces
        yield _by_namespace("iceberg_tables_total", "Tables in the catalog.", counts.tables)
        yield _by_namespace("iceberg_views_total", "Views in the catalog.", counts.views)

    def _current(self) -> EntityCounts | None:
        if time.monotonic() < self._expires:
            return self._counts
        try:
            self._counts = self._count()
        except Exception as error:  # noqa: BLE001 - a scrape must tell what it can when the database is away
            self._counts = None
            log.warning("catalog content not counted", error=error)
        self._expires = time.monotonic() + CONTENT_AGE
        return self._counts


class ReadyCollector:
    """``bingsan_ready``: 1 while the node would answer its readiness probe with 200."""

    def __init__(self, ready: Callable[[], bool]) -> None:
        self._ready = ready

    def collect(self) -> Iterator[GaugeMetricFamily]:
        family = GaugeMetricFamily("bingsan_ready", "1 while the node is ready, else 0.")
        family.add_metric([], float(self._ready()))
        yield family


class Scrape:
    """Answers scrapes. ``count`` and ``ready`` are asked at each one and must be bounded in time."""

    def __init__(
        self, count: Callable[[], EntityCounts] | None = None, ready: Callable[[], bool] | None = None
    ) -> None:
        self._collectors: list[ContentCollector | ReadyCollector] = []
        if count is not None:
            self._collectors.append(ContentCollector(count))
        if ready is not None:
            self._collectors.append(ReadyCollector(ready))

    def text(self, accept: str | None = None) -> tuple[str, str]:
        """The exposition and its content type, in the format that ``accept`` (the Accept header) asks for."""
        exposition.flush()
        families = [family for collector in self._collectors for family in collector.collect()]
        folder = ensure_folder()
        encode, content_type = choose_encoder(accept or "")

        def merged() -> str:
            registry = CollectorRegistry()
            MultiProcessCollector(registry, str(folder))  # type: ignore[no-untyped-call]
            registry.register(_Collected(families))
            return encode(registry).decode()

        with reading(folder):
            return beside_event_loop(merged), content_type


class _Collected:
    """Families that are there already: a collector must not wait in the thread that merges."""

    def __init__(self, families: list[GaugeMetricFamily]) -> None:
        self._families = families

    def collect(self) -> list[GaugeMetricFamily]:
        return self._families


def _by_namespace(name: str, text: str, counts: Mapping[str, int]) -> GaugeMetricFamily:
    shown: dict[str, int] = {}
    for namespace, count in sorted(counts.items(), key=lambda item: -item[1]):
        label = metric_label(namespace) if len(shown) < MOST_NAMESPACES else OTHER
        shown[label] = shown.get(label, 0) + count
    family = GaugeMetricFamily(name, text, labels=["namespace"])
    for label, count in shown.items():
        family.add_metric([label], count)
    return family
