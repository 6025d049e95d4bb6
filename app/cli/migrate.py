"""``bingsan migrate [--check | --finish]``: bring the database's schema up to date."""

import argparse
import time
from collections.abc import Callable
from typing import Any, TypeVar

from app.cli.exits import FAILED, UNREACHABLE, CommandError
from app.config import Settings
from app.observability.logs import get_logger
from app.observability.state import build
from app.server.lifeline import end_with_parent, wait_for_go

T = TypeVar("T")
log = get_logger("migrate")
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 1.0


def register(subparsers: Any, common: argparse.ArgumentParser) -> None:
    parser = subparsers.add_parser("migrate", parents=[common], help="apply the schema migrations")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--check", action="store_true", help="only say what is missing; exit 1 if anything is")
    what.add_argument(
        "--finish",
        action="store_true",
        help="after a rolling upgrade, once no older program runs: use what those could not read",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    # Imported here: the supervisor, which is the same program, needs none of it.
    from app.catalog.administrators import ensure_administrator
    from app.catalog.warehouses import ensure_default_warehouse
    from app.cli.embedded.cluster import connected_settings
    from app.db import Database, migrations
    from app.errors import AlreadyExistsException

    end_with_parent()
    settings = connected_settings(Settings.load())
    wait_for_go()
    version = build().version
    act = migrations.pending if arguments.check else migrations.migrate
    try:
        found = when_reachable(settings, lambda: act(settings, version))
    except migrations.SchemaError as error:
        raise CommandError(str(error)) from None
    if not arguments.check:
        db = Database(settings, pool_size=1)
        try:
            ensure_default_warehouse(db, settings)
            ensure_administrator(db, settings)
            if arguments.finish:
                db.execute("finish_migrations")
        except AlreadyExistsException as error:
            raise CommandError(error.message) from None
    names = [f"{migration.number:04}_{migration.name}" for migration in found]
    log.info("migrations missing" if arguments.check else "database migrations complete", migrations=names)
    return FAILED if arguments.check and found else 0


def when_reachable(settings: Settings, act: Callable[[], T]) -> T:
    """The result of ``act``, tried until ``database.startup_timeout`` while the database cannot be reached.

    Raises ``CommandError`` with 7, naming host and port.
    """
    from app.db.errors import DatabaseUnavailable

    database, pause = settings.database, _FIRST_PAUSE
    deadline = time.monotonic() + database.startup_timeout
    while True:
        try:
            return act()
        except DatabaseUnavailable as error:
            if time.monotonic() + pause > deadline:
                where = f"{database.host}:{database.port}"
                raise CommandError(f"cannot reach PostgreSQL at {where}: {error}", UNREACHABLE) from None
        # Nothing tells when a server comes up; asking again is the only way.
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)
