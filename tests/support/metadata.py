"""Small table and view metadata to start tests from."""

from typing import Any

from app.metadata.table import new_table_metadata
from app.metadata.updates import apply_table_updates
from app.metadata.view import apply_view_updates, new_view_metadata

UUID = "9c12d441-03fe-4693-9a96-a0705ddf69c1"
OTHER_UUID = "00000000-0000-4000-8000-000000000000"
CREATED_MS = 1_750_000_000_000
NOW_MS = CREATED_MS + 1_000
FILE = f"s3://bucket/t/metadata/00000-{UUID}.metadata.json"

Json = dict[str, Any]


def column(field_id: int, name: str, kind: Any = "int", **members: Any) -> Json:
    return {"id": field_id, "name": name, "required": False, "type": kind, **members}


def struct(*fields: Json, **members: Any) -> Json:
    return {"type": "struct", "fields": list(fields), **members}


def list_of(element_id: int, element: Any) -> Json:
    return {"type": "list", "element-id": element_id, "element": element, "element-required": False}


def map_of(key_id: int, value_id: int, key: Any, value: Any) -> Json:
    return {
        "type": "map",
        "key-id": key_id,
        "key": key,
        "value-id": value_id,
        "value": value,
        "value-required": False,
    }


SCHEMA = struct(
    column(1, "id", "long", required=True),
    column(2, "name", "string"),
    column(3, "ts", "timestamp"),
    column(4, "tags", list_of(5, "string")),
)


def part(source_id: int, name: str, transform: str = "identity", **members: Any) -> Json:
    return {"name": name, "transform": transform, "source-id": source_id, **members}


def sort(source_id: int, transform: str = "identity", **members: Any) -> Json:
    field = {"transform": transform, "source-id": source_id, "direction": "asc", "null-order": "nulls-first"}
    return {**field, **members}


def table(version: int = 2, **arguments: Any) -> Json:
    """Return new metadata; ``properties`` are added to the format version."""
    properties = {"format-version": str(version), **arguments.pop("properties", {})}
    given = {"schema": SCHEMA, "partition_spec": {"fields": [part(3, "ts_day", "day")]}, **arguments}
    return new_table_metadata(
        table_uuid=UUID, location="s3://bucket/t", properties=properties, now_ms=CREATED_MS, **given
    )


def snapshot(snapshot_id: int, sequence: int | None = None, **members: Any) -> Json:
    made = {
        "snapshot-id": snapshot_id,
        "timestamp-ms": CREATED_MS + snapshot_id,
        "manifest-list": f"s3://bucket/t/metadata/snap-{snapshot_id}.avro",
        "summary": {"operation": "append"},
        **members,
    }
    return made if sequence is None else {**made, "sequence-number": sequence}


def add(made: Json) -> Json:
    return {"action": "add-snapshot", "snapshot": made}


def point(snapshot_id: int, name: str = "main", kind: str = "branch", **members: Any) -> Json:
    return {
        "action": "set-snapshot-ref",
        "ref-name": name,
        "type": kind,
        "snapshot-id": snapshot_id,
        **members,
    }


def apply(base: Json | None, *updates: Any, now_ms: int = NOW_MS, **arguments: Any) -> Json:
    """Apply updates to a table; the base's file is ``FILE``."""
    given = {"previous_location": None if base is None else FILE, **arguments}
    return apply_table_updates(base, list(updates), now_ms=now_ms, **given)


def table_with_snapshots(count: int, version: int = 2) -> Json:
    """Return a table whose main branch went through snapshots 1 to ``count``, one commit each."""
    document = table(version)
    for i in range(1, count + 1):
        members: Json = {"parent-snapshot-id": i - 1} if i > 1 else {}
        if version == 3:
            members |= {"first-row-id": 10 * (i - 1), "added-rows": 10}
        made = snapshot(i, None if version == 1 else i, **members)
        document = apply(document, add(made), point(i), now_ms=CREATED_MS + i)
    return document


def view_version(version_id: int = 1, **members: Any) -> Json:
    return {
        "version-id": version_id,
        "timestamp-ms": CREATED_MS,
        "schema-id": 0,
        "summary": {"engine-name": "spark"},
        "default-namespace": ["a"],
        "representations": [query("select 1")],
        **members,
    }


def query(sql: str, dialect: str = "spark") -> Json:
    return {"type": "sql", "sql": sql, "dialect": dialect}


def view(**arguments: Any) -> Json:
    given = {"schema": struct(column(1, "id")), "version": view_version(), **arguments}
    return new_view_metadata(view_uuid=UUID, location="s3://bucket/v", **given)


def apply_view(base: Json, *updates: Any, now_ms: int = NOW_MS) -> Json:
    return apply_view_updates(base, list(updates), now_ms=now_ms)
