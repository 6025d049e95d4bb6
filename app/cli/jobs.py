"""``bingsan jobs``: the process that works off the durable queue, and keeps its tables in shape."""

import argparse
import signal
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from app.config import Settings
from app.observability import logs
from app.server.lifeline import end_with_parent

if TYPE_CHECKING:
    from app.db import Database
    from app.jobs import Handler, Job

log = logs.get_logger("jobs")
_CONCURRENCY = 4
# Beside the running jobs: claiming, and the heartbeat.
_SPARE_CONNECTIONS = 2
_PERIODS = {"keep_changes": 3600.0, "keep_jobs": 3600.0}


def register(subparsers: Any, common: argparse.ArgumentParser) -> None:
    parser = subparsers.add_parser("jobs", parents=[common], help="run the jobs process in the foreground")
    parser.set_defaults(run=run)


def run(_arguments: argparse.Namespace) -> int:
    # Imported here: the supervisor, which is the same program, needs none of it.
    from app.cli.embedded.cluster import connected_settings
    from app.db import Database
    from app.jobs import Worker

    end_with_parent()
    settings = connected_settings(Settings.load())
    logs.set_level(settings.logging.level)
    size = _CONCURRENCY + _SPARE_CONNECTIONS
    db = Database(settings, pool_size=size, application_name="bingsan jobs")
    worker = Worker(db, settings.jobs, job_handlers(settings, db), _PERIODS, _CONCURRENCY)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: worker.stop())
    log.info("jobs process started")
    worker.run()
    log.info("jobs process stopped")
    return 0


def job_handlers(settings: Settings, db: "Database") -> Mapping[str, "Handler"]:
    """Everything the process knows to do, by the kind of job."""
    from app.jobs.queue import delete_finished

    def keep_changes(_job: "Job") -> str:
        db.execute("create_changes_partitions")
        db.execute("drop_changes_partitions", retention=settings.changes.retention)
        return f"kept {settings.changes.retention:g} s"

    def keep_jobs(_job: "Job") -> str:
        return f"{delete_finished(db, settings.changes.retention)} finished jobs deleted"

    return {"keep_changes": keep_changes, "keep_jobs": keep_jobs}
