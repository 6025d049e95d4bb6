"""``bingsan config check|show|reference``."""

import argparse
import json
import sys
from typing import Any

from app.config import ConfigurationError, Settings
from app.config.options import options
from app.config.reference import reference


def register(subparsers: Any, common: argparse.ArgumentParser) -> None:
    parser = subparsers.add_parser("config", help="check or show the configuration")
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    texts = {
        check: "report all faults at once; exit 78 if there are any",
        show: "print every value and where it comes from, secrets masked",
    }
    for action, text in texts.items():
        parser = actions.add_parser(action.__name__, parents=[common], help=text)
        parser.add_argument("--format", choices=("text", "json"), default="text")
        parser.set_defaults(run=action)
    parser = actions.add_parser(
        "reference", parents=[common], help="print the reference page of all settings"
    )
    parser.set_defaults(run=print_reference)


def check(arguments: argparse.Namespace) -> int:
    try:
        settings, faults = Settings.load(), []
    except ConfigurationError as error:
        if arguments.format != "json":
            raise
        settings, faults = None, [fault.to_dict() for fault in error.faults]
    warnings = settings.warnings if settings else ()
    if arguments.format == "json":
        print(json.dumps({"faults": faults, "warnings": warnings}, indent=2))
    for warning in warnings:
        print(f"warning: {warning}", file=sys.stderr)
    return ConfigurationError.exit_code if faults else 0


def show(arguments: argparse.Namespace) -> int:
    settings = Settings.load()
    rows = [
        (option.key, option.show(settings.value(option.key)), settings.origin(option.key))
        for option in options(Settings)
    ]
    if arguments.format == "json":
        print(json.dumps({key: {"value": value, "source": source} for key, value, source in rows}, indent=2))
        return 0
    width = max(len(key) for key, _, _ in rows)
    for key, value, source in rows:
        print(f"{key:{width}}  {value or '-'}  ({source})")
    return 0


def print_reference(_arguments: argparse.Namespace) -> int:
    print(reference(), end="")
    return 0
