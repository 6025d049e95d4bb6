"""Values that tests make: names nobody else uses, schemas, request bodies."""

import itertools
import secrets
from typing import Any
from uuid import uuid4

COUNTER = itertools.count(1)


def unique_name(prefix: str = "n") -> str:
    """Return a name that no other test, process or run uses."""
    return f"{prefix}_{next(COUNTER)}_{secrets.token_hex(4)}"


def field(
    field_id: int, name: str, kind: Any = "long", *, required: bool = False, **more: Any
) -> dict[str, Any]:
    """Return a schema field as JSON."""
    return {"id": field_id, "name": name, "type": kind, "required": required, **more}


def schema(*fields: dict[str, Any], schema_id: int = 0, **more: Any) -> dict[str, Any]:
    """Return a schema as JSON; without fields it has an ``id`` and a ``name``."""
    chosen = list(fields) or [field(1, "id", required=True), field(2, "name", "string")]
    return {"type": "struct", "schema-id": schema_id, "fields": chosen, **more}


def create_table_request(name: str, **more: Any) -> dict[str, Any]:
    """Return the body of createTable."""
    return {"name": name, "schema": schema(), **more}


def commit_request(
    *updates: dict[str, Any], requirements: list[dict[str, Any]] | None = None, **more: Any
) -> dict[str, Any]:
    """Return the body of updateTable or replaceView."""
    return {"requirements": requirements or [], "updates": list(updates), **more}


def set_properties(**properties: str) -> dict[str, Any]:
    """Return a set-properties update; underscores in names become dots."""
    return {
        "action": "set-properties",
        "updates": {key.replace("_", "."): value for key, value in properties.items()},
    }


def function_metadata(**more: Any) -> dict[str, Any]:
    """Return the metadata of a function that adds one, with a uuid of its own."""
    version = {
        "version-id": 1,
        "timestamp-ms": 1_700_000_000_000,
        "deterministic": True,
        "on-null-input": "return-null",
        "representations": [
            {"type": "sql", "dialect": "spark", "sql": "x + 1"},
            {"type": "sql", "dialect": "trino", "sql": "x + 1"},
        ],
    }
    definition = {
        "definition-id": "int",
        "specific-name": "add_one_int",
        "parameters": [{"name": "x", "type": "int", "doc": "größer"}],
        "return-type": "int",
        "versions": [version],
        "current-version-id": 1,
        "function-type": "udf",
    }
    log = {
        "timestamp-ms": 1_700_000_000_000,
        "definition-versions": [{"definition-id": "int", "version-id": 1}],
    }
    return {
        "function-uuid": str(uuid4()),
        "format-version": 1,
        "definitions": [definition],
        "definition-log": [log],
        **more,
    }
