"""The figures this process counts: plain numbers, so that recording costs well under a microsecond.

``exposition`` copies them into prometheus_client's shared files a few times per second. Every value is
cumulative since the process began. Additions read and store without a call in between, so no thread switch
falls inside them.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator
from typing import Final, Protocol

from app.observability.redaction import metric_label

BUCKETS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of the request duration histogram in seconds; one more bucket takes the rest."""

METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
OTHER: Final = "other"
MOST_SERIES: Final = 10_000

Labels = tuple[str, ...]
Slot = list[float]


class Counter:
    """A count per combination of label values; one without labels is there from the start, at 0."""

    __slots__ = ("help", "labels", "name", "values")

    def __init__(self, name: str, text: str, labels: Labels = ()) -> None:
        self.name = name
        self.help = text
        self.labels = labels
        self.values: dict[Labels, float] = {} if labels else {(): 0}

    def inc(self, *labels: str, by: float = 1) -> None:
        """Add ``by`` to the series of ``labels``, in the order they were declared."""
        try:
            self.values[labels] += by
        except KeyError:
            self._open(labels)
            self.inc(*self._key(labels), by=by)

    def _open(self, labels: Labels) -> None:
        self.values.setdefault(self._key(labels), 0)

    def _key(self, labels: Labels) -> Labels:
        shown = tuple(metric_label(label) for label in labels)
        full = len(self.values) >= MOST_SERIES and shown not in self.values
        return tuple(OTHER for _ in labels) if full else shown


class Gauge:
    """A value that goes up and down; ``mode`` (prometheus_client's) says how workers' values become one."""

    __slots__ = ("help", "labels", "mode", "name", "values")

    def __init__(self, name: str, text: str, mode: str = "livesum", labels: Labels = ()) -> None:
        self.name = name
        self.help = text
        self.labels = labels
        self.mode = mode
        self.values: dict[Labels, float] = {} if labels else {(): 0}

    def set(self, value: float, *labels: str) -> None:
        self.values[labels] = value

    def add(self, amount: float) -> None:
        self.values[()] += amount


class Requests:
    """Answered requests and their durations by method, route template and status."""

    name: Final = "iceberg_catalog_http_request"

    def __init__(self) -> None:
        self.slots: dict[tuple[str, str, int], Slot] = {}

    def record(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request. ``route`` is a template of ours, never a client's path."""
        try:
            slot = self.slots[method, route, status]
        except KeyError:
            slot = self.slot(method, route, status)
        slot[bisect_left(BUCKETS, seconds)] += 1
        slot[-1] += seconds

    def slot(self, method: str, route: str, status: int) -> Slot:
        """The numbers behind one series: a count per bucket, then the sum of seconds."""
        known = method if method in METHODS else OTHER
        return self.slots.setdefault((known, route, status), [0] * (len(BUCKETS) + 1) + [0.0])

    def total(self) -> int:
        return int(sum(sum(slot[:-1]) for slot in self.slots.values()))


class PoolState(Protocol):
    """One worker's pool: connections lent out, at rest, allowed; callers in the queue."""

    @property
    def active(self) -> int: ...

    @property
    def idle(self) -> int: ...

    @property
    def maximum(self) -> int: ...

    @property
    def waiting(self) -> int: ...


class Metrics:
    """Everything one process counts. Names: the Go version's where it had them, ``bingsan_`` else."""

    def __init__(self) -> None:
        self.requests = Requests()
        self.requests_in_progress = Gauge(
            "iceberg_catalog_http_requests_in_progress", "Requests being answered now."
        )
        self.received_bytes = Counter("iceberg_catalog_http_received_bytes_total", "Bytes of request bodies.")
        self.sent_bytes = Counter("iceberg_catalog_http_sent_bytes_total", "Bytes of response bodies.")
        self.commits = Counter("iceberg_commits_total", "Commits that took effect.")
        self.commit_conflicts = Counter(
            "bingsan_commit_conflicts_total",
            "Commits refused because a requirement did not hold or a race was lost.",
        )
        self.rejected_requests = Counter(
            "bingsan_rejected_requests_total", "Requests refused by a limit before any work.", ("reason",)
        )
        self.storage_errors = Counter(
            "bingsan_storage_errors_total", "Storage calls that failed or ran out of time.", ("operation",)
        )
        self.log_lines_dropped = Counter(
            "bingsan_log_lines_dropped_total", "Log lines lost because standard output did not take them."
        )
        self.hot_answers = Counter(
            "bingsan_hot_answers_total",
            "Requests answered from what the worker remembers, checked to be current.",
        )
        self.cache_misses = Counter(
            "bingsan_cache_misses_total", "Reads that could have been answered so, but were not remembered."
        )
        self.cache_evictions = Counter(
            "bingsan_cache_evictions_total", "Remembered answers that a change made obsolete."
        )
        self.cache_bytes = Gauge("bingsan_cache_bytes", "Size of the remembered answers.")
        self.cache_entries = Gauge("bingsan_cache_entries", "Answers remembered.")
        self.metric_reports = Counter(
            "bingsan_metric_reports_total", "Reports about scans and commits that clients sent.", ("type",)
        )
        self.metric_reports_dropped = Counter(
            "bingsan_metric_reports_dropped_total", "Such reports that were not stored.", ("reason",)
        )
        self.audit_events = Counter(
            "bingsan_audit_events_total",
            "What the audit was told: requests that were refused, keys that were issued.",
            ("outcome",),
        )
        self.audit_events_dropped = Counter(
            "bingsan_audit_events_dropped_total", "Such events that were not stored.", ("reason",)
        )
        self.auth_failures = Counter(
            "bingsan_auth_failures_total", "Requests of nobody known: answered with 401.", ("reason",)
        )
        self.openid_key_fetches = Counter(
            "bingsan_openid_key_fetches_total",
            "Times an OpenID provider was asked for its keys.",
            ("provider", "outcome"),
        )
        self.db_connections_active = Gauge("iceberg_db_connections_active", "Database connections in use.")
        self.db_connections_idle = Gauge(
            "iceberg_db_connections_idle", "Database connections waiting in the pool."
        )
        self.db_connections_total = Gauge("iceberg_db_connections_total", "Database connections open.")
        self.db_connections_max = Gauge("iceberg_db_connections_max", "Most database connections allowed.")
        self.db_connections_waiting = Gauge(
            "iceberg_db_connections_waiting", "Requests waiting for a connection."
        )
        self.workers = Gauge("bingsan_workers", "Worker processes alive.")
        self.worker_start_time = Gauge(
            "bingsan_worker_start_time_seconds", "Unix time each worker began.", mode="liveall"
        )
        self.build_info = Gauge(
            "bingsan_build_info",
            "The build that runs; always 1.",
            mode="livemax",
            labels=("version", "commit", "python"),
        )
        self._samplers: list[Callable[[], None]] = []

    def label_commits_by_table(self) -> None:
        """Count commits per table from now on (one series each). Call before the first commit is counted."""
        self.commits = Counter(self.commits.name, self.commits.help, ("namespace", "table"))

    def record_commit(self, namespace: str, table: str) -> None:
        """Count one commit that took effect; the names are used only if commits are labelled."""
        if self.commits.labels:
            self.commits.inc(namespace, table)
        else:
            self.commits.inc()

    def watch_pool(self, state: Callable[[], PoolState]) -> None:
        """Ask ``state`` for the pool's numbers whenever the figures are copied out. It must not block."""

        def sample() -> None:
            now = state()
            self.db_connections_active.set(now.active)
            self.db_connections_idle.set(now.idle)
            self.db_connections_total.set(now.active + now.idle)
            self.db_connections_max.set(now.maximum)
            self.db_connections_waiting.set(now.waiting)

        self._samplers.append(sample)

    def add_sampler(self, sampler: Callable[[], None]) -> None:
        """Call ``sampler`` whenever the figures are copied out. It must not block."""
        self._samplers.append(sampler)

    def sample(self) -> None:
        for sampler in self._samplers:
            sampler()

    def counters(self) -> Iterator[Counter]:
        return (value for value in vars(self).values() if isinstance(value, Counter))

    def gauges(self) -> Iterator[Gauge]:
        return (value for value in vars(self).values() if isinstance(value, Gauge))


metrics = Metrics()
"""The process's own figures."""
