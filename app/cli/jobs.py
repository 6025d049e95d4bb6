"""``bingsan jobs``: the process that works off the durable queue."""

import argparse
import signal
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from app.config import Settings
from app.observability import logs
from app.server.lifeline import end_with_parent

if TYPE_CHECKING:
    from app.catalog.context import Catalog
    from app.jobs import Handler

log = logs.get_logger("jobs")
_CONCURRENCY = 4
# Beside the running jobs: claiming, and the heartbeat.
_SPARE_CONNECTIONS = 2


def register(subparsers: Any, common: argparse.ArgumentParser) -> None:
    parser = subparsers.add_parser("jobs", parents=[common], help="run the jobs process in the foreground")
    parser.set_defaults(run=run)


def run(_arguments: argparse.Namespace) -> int:
    # Imported here: the supervisor, which is the same program, needs none of it.
    from app.cli.embedded.cluster import connected_settings
    from app.jobs import Worker
    from app.observability import failpoints

    end_with_parent()
    settings = connected_settings(Settings.load())
    logs.set_level(settings.logging.level)
    logs.capture_standard_logging()
    failpoints.arm(settings.testing.failpoints)
    catalog = open_catalog(settings)
    worker = Worker(catalog.db, settings.jobs, job_handlers(catalog), job_periods(settings), _CONCURRENCY)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: worker.stop())
    log.info("jobs process started")
    worker.run()
    log.info("jobs process stopped")
    return 0


def open_catalog(settings: Settings) -> "Catalog":
    """The catalog as the jobs process uses it, with connections of its own."""
    from app.catalog.context import Catalog
    from app.catalog.storages import WarehouseStorages
    from app.db import Database
    from app.storage.executor import in_threads

    size = _CONCURRENCY + _SPARE_CONNECTIONS
    db = Database(settings, pool_size=size, application_name="bingsan jobs")
    return Catalog(settings, db, WarehouseStorages(settings), in_threads("compression", 2, 15.0))


def job_periods(settings: Settings) -> dict[str, float]:
    """Seconds between the runs of what is done again and again."""
    from app.catalog import grants, held, maintenance, sweep

    periods = {**maintenance.PERIODS, held.EXPIRE: held.PERIOD, grants.KEEP_GRANTS: grants.PERIOD}
    if settings.sweep.mode != "off":
        periods[sweep.SWEEP] = settings.sweep.interval
    return periods


def job_handlers(catalog: "Catalog") -> Mapping[str, "Handler"]:
    """Everything the process knows to do, by the kind of job."""
    from app.catalog import grants, held, maintenance, namespace_drops, purge, sweep

    return {
        purge.PURGE: partial(purge.purge, catalog),
        grants.KEEP_GRANTS: partial(grants.keep_grants, catalog),
        sweep.SWEEP: partial(sweep.sweep, catalog),
        sweep.DELETE_ORPHANS: partial(sweep.delete_orphans, catalog),
        held.EXPIRE: partial(held.expire_due, catalog),
        namespace_drops.DROP_NAMESPACE: partial(namespace_drops.work_off_drop, catalog),
        maintenance.DELETE_SUPERSEDED: partial(maintenance.delete_superseded, catalog),
        maintenance.KEEP_CHANGES: partial(maintenance.keep_changes, catalog),
        maintenance.KEEP_IDEMPOTENCY_KEYS: partial(maintenance.keep_idempotency_keys, catalog),
        maintenance.KEEP_METRIC_REPORTS: partial(maintenance.keep_metric_reports, catalog),
        maintenance.KEEP_AUDIT: partial(maintenance.keep_audit, catalog),
        maintenance.KEEP_REVOKED_TOKENS: partial(maintenance.keep_revoked_tokens, catalog),
        maintenance.KEEP_JOBS: partial(maintenance.keep_jobs, catalog),
        maintenance.KEEP_VENDED_PLACES: partial(maintenance.keep_vended_places, catalog),
    }
