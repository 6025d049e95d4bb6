"""``bingsan jobs``: the process that works off the durable queue."""

import argparse
from typing import Any

from app.cli.embedded.cluster import connected_settings
from app.config import Settings
from app.observability import logs
from app.server.lifeline import end_with_parent


def register(subparsers: Any, common: argparse.ArgumentParser) -> None:
    parser = subparsers.add_parser("jobs", parents=[common], help="run the jobs process in the foreground")
    parser.set_defaults(run=run)


def run(_arguments: argparse.Namespace) -> int:
    end_with_parent()
    settings = connected_settings(Settings.load())
    logs.set_level(settings.logging.level)
    from app.jobs import run_worker

    return run_worker(settings)
