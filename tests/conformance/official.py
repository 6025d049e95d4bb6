"""The official document: where it is, and what in it cannot be meant as it is written."""

import os
from pathlib import Path
from typing import Any

import yaml

from tests.support.cache import cache_folder
from tests.support.schemas import JsonObject

ROOT = Path(__file__).resolve().parents[2]
NAME = "rest-catalog-open-api.yaml"
HOW = f"""The official Iceberg REST document ({NAME}) is not here.

Set ICEBERG_REST_SPEC to a copy of it, put one at ../shared/spec/{NAME}, or run

    sh scripts/fetch_spec.sh

which downloads the version that this project is proved against into the cache and checks it."""


class Missing(Exception):
    """There is no official document; the message says how to get it."""


def find() -> Path:
    """Return where the official document is: ``ICEBERG_REST_SPEC``, else ``shared/spec`` beside a folder above, else
    the cache.

    :raises Missing: when it is in none of these places
    """
    if named := os.environ.get("ICEBERG_REST_SPEC"):
        places = [Path(named)]
    else:
        places = [folder / "shared" / "spec" / NAME for folder in ROOT.parents]
        places.append(cache_folder() / "spec" / NAME)
    for place in places:
        if place.is_file():
            return place
    raise Missing(f"{HOW}\n\nLooked at: {', '.join(map(str, places))}")


def load(path: Path) -> JsonObject:
    """Return the official document as it is meant; ``MEANT`` says what is read in another way."""
    document = yaml.load(path.read_text("utf-8"), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    for change in MEANT.values():
        change(document)
    return dict(_nullable(document))


def _nullable(value: Any) -> Any:
    if isinstance(value, list):
        return [_nullable(item) for item in value]
    if not isinstance(value, dict):
        return value
    made = {key: _nullable(item) for key, item in value.items() if key != "nullable"}
    if isinstance(made.get("oneOf"), list):
        # Choices overlap: `variant` is a primitive type by its schema too, and 1 an integer, a long and a date.
        made["anyOf"] = made.pop("oneOf")
    if value.get("nullable") is True and "type" in made:
        made["type"] = [made["type"], "null"]
    return made


def _wrapped_errors(document: JsonObject) -> None:
    for response in _responses(document):
        for content in response.get("content", {}).values():
            if content.get("schema", {}).get("$ref") == "#/components/schemas/ErrorModel":
                content["schema"] = {"$ref": "#/components/schemas/IcebergErrorResponse"}


def _responses(document: JsonObject) -> list[JsonObject]:
    of_paths = [
        response
        for item in document["paths"].values()
        for method, operation in item.items()
        if method != "parameters"
        for response in operation["responses"].values()
    ]
    return [*of_paths, *document["components"]["responses"].values()]


def _no_snapshot_is_null(document: JsonObject) -> None:
    document["components"]["schemas"]["TableMetadata"]["properties"]["current-snapshot-id"]["nullable"] = True


MEANT = {
    "Several operations name ErrorModel as the body of an error; their own examples show it inside the envelope.": (
        _wrapped_errors
    ),
    "The table specification has null for no current snapshot in format 3.": _no_snapshot_is_null,
}
