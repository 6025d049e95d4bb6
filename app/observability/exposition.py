"""From this process's figures to prometheus_client's files, one set per process in a shared folder.

The folder is the one ``PROMETHEUS_MULTIPROC_DIR`` names when the first figure is copied; see
``multiprocess``.
"""

from typing import Any, Final

from prometheus_client.utils import floatToGoString
from prometheus_client.values import MultiProcessValue

from app.observability.metrics import BUCKETS, Counter, Gauge, Metrics, Requests, Slot
from app.observability.redaction import metric_label

SERVICE: Final = "iceberg_catalog"
REQUEST_LABELS: Final = ("service", "method", "path", "status_code")

_Value: Any = MultiProcessValue()  # type: ignore[no-untyped-call]


class Exposition:
    """Copies ``metrics`` into shared values; only what changed since the last time is written."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._requests: dict[tuple[str, str, int], _RequestValues] = {}
        self._values: dict[tuple[str, tuple[str, ...]], Any] = {}
        self._written: dict[tuple[str, tuple[str, ...]], float] = {}

    def flush(self) -> None:
        """Bring the shared values up to date. Raises OSError when the folder cannot be written."""
        self._metrics.sample()
        self._flush_requests(self._metrics.requests)
        for counter in self._metrics.counters():
            self._flush_family(counter)
        for gauge in self._metrics.gauges():
            self._flush_family(gauge)

    def _flush_requests(self, requests: Requests) -> None:
        for key, slot in list(requests.slots.items()):
            values = self._requests.get(key)
            if values is None:
                values = self._requests[key] = _RequestValues(requests.name, key)
            values.write(slot)

    def _flush_family(self, family: Counter | Gauge) -> None:
        for labels, value in list(family.values.items()):
            key = (family.name, labels)
            if self._written.get(key) != value:
                if key not in self._values:
                    self._values[key] = _shared(family, labels)
                self._values[key].set(value)
                self._written[key] = value


class _RequestValues:
    """The shared values of one request series: the counter, the buckets, the sum."""

    def __init__(self, name: str, key: tuple[str, str, int]) -> None:
        method, route, status = key
        labels = (SERVICE, method, metric_label(route), str(status))
        duration = f"{name}_duration_seconds"
        text = "Time from a request's arrival to the end of its answer."
        self._total = _value(
            "counter", f"{name}s", f"{name}s_total", REQUEST_LABELS, labels, "Requests answered."
        )
        self._buckets = [
            _value(
                "histogram",
                duration,
                f"{duration}_bucket",
                (*REQUEST_LABELS, "le"),
                (*labels, _bound(bound)),
                text,
            )
            for bound in (*BUCKETS, float("inf"))
        ]
        self._sum = _value("histogram", duration, f"{duration}_sum", REQUEST_LABELS, labels, text)
        self._written: Slot = [0] * (len(BUCKETS) + 1) + [0.0]

    def write(self, slot: Slot) -> None:
        if slot == self._written:
            return
        now = slot.copy()
        for value, count, before in zip(self._buckets, now, self._written, strict=False):
            if count != before:
                value.set(count)
        self._sum.set(now[-1])
        self._total.set(sum(now[:-1]))
        self._written = now


def _shared(family: Counter | Gauge, labels: tuple[str, ...]) -> Any:
    if isinstance(family, Gauge):
        return _value("gauge", family.name, family.name, family.labels, labels, family.help, family.mode)
    base = family.name.removesuffix("_total")
    return _value("counter", base, family.name, family.labels, labels, family.help)


def _value(
    kind: str,
    metric: str,
    name: str,
    labels: tuple[str, ...],
    values: tuple[str, ...],
    text: str,
    mode: str = "",
) -> Any:
    return _Value(kind, metric, name, labels, values, text, multiprocess_mode=mode)


def _bound(seconds: float) -> str:
    return str(floatToGoString(seconds))  # type: ignore[no-untyped-call]
