"""The service's own OpenAPI document, and the routes it has.

They are asked of a process of its own: making the application sets up metrics, which tests must not inherit.
"""

import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from tests.support.schemas import JsonObject

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = {"ICEBERG_DATABASE_HOST": "nowhere.invalid", "ICEBERG_STORAGE_WAREHOUSE": "file:///nowhere"}


class Application(NamedTuple):
    """``routes`` are methods and rules as Flask has them."""

    document: JsonObject
    routes: list[str]


@cache
def application() -> Application:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "tests.support.own_document"],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return Application(**json.loads(done.stdout))


def own_document() -> JsonObject:
    return application().document


def _describe() -> dict[str, Any]:
    from app import create_app
    from app.config import Settings

    app = create_app(Settings.load(environ=SETTINGS))
    with app.test_request_context():
        document = app.view_functions["document.open_api_document"]()
    rules = app.url_map.iter_rules()
    return {
        "document": json.loads(document.body),
        "routes": [f"{method} {rule.rule}" for rule in rules for method in rule.methods or ()],
    }


if __name__ == "__main__":
    print(json.dumps(_describe()))
