"""``bingsan bootstrap``: the first administrator."""

import argparse
from typing import Any

from app.cli.operator import Operator, add_action, say, show_one


def register(subparsers: Any, common: argparse.ArgumentParser) -> None:
    text = "make the first administrator and print its secret, once"
    parser = add_action(subparsers, common, "bootstrap", text, run)
    parser.add_argument("--name", default="admin", help="its name, and client id (default: admin)")
    parser.add_argument("--another", action="store_true", help="make one although there is one")


def run(arguments: argparse.Namespace, operator: Operator) -> int:
    from app.catalog.administrators import bootstrap

    origin = operator.caller().origin
    made = bootstrap(operator.catalog.db, origin, arguments.name, another=arguments.another)
    say("This is the only time that the secret is shown.")
    return show_one(arguments, {"client-id": made.client_id, "client-secret": made.client_secret})
