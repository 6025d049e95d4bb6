"""``bingsan serve``: a whole node in the foreground."""

import argparse
import sys
from pathlib import Path
from typing import Any

from app.cli.screen import screen
from app.cli.settings import load_settings
from app.cli.supervision.events import Events
from app.cli.supervision.node import Node
from app.cli.supervision.ownership import owned
from app.observability import logs


def register(subparsers: Any, common: argparse.ArgumentParser) -> None:
    parser = subparsers.add_parser(
        "serve", parents=[common], help="run a node: server, jobs process and, if asked for, a database"
    )
    parser.add_argument(
        "--embedded-fallback",
        action="store_true",
        help="use the embedded PostgreSQL when no database is configured",
    )
    parser.add_argument(
        "--screen",
        action="store_true",
        help="print how to connect even if the output is no terminal",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    settings = load_settings(embedded_fallback=arguments.embedded_fallback)
    logs.set_level(settings.logging.level)
    logs.capture_standard_logging()

    def announce(node: Node) -> None:
        logs.get_logger("supervisor").info("ready", url=node.listener.url)
        if arguments.screen or sys.stdout.isatty():
            print(screen(node), flush=True)

    with Events() as events, owned(Path(settings.home)) as left_behind:
        Node(settings, events, left_behind=left_behind).run(announce)
    return 0
