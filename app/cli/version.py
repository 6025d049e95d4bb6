"""``bingsan version``."""

import argparse
import json
import platform
from typing import Any

from app.observability.state import build


def register(subparsers: Any, common: argparse.ArgumentParser) -> None:
    parser = subparsers.add_parser("version", parents=[common], help="print the version")
    parser.add_argument("--format", choices=("text", "json"), default="text")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    about = {"version": build().version, "commit": build().commit, "python": platform.python_version()}
    if arguments.format == "json":
        print(json.dumps(about))
    else:
        commit = f" ({about['commit'][:12]})" if about["commit"] else ""
        print(f"bingsan {about['version']}{commit}, Python {about['python']}")
    return 0
