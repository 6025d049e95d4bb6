"""Random schemas, partition specs and sort orders of the kinds that clients write."""

from random import Random
from typing import Any

V1_TYPES = (
    "boolean",
    "int",
    "long",
    "float",
    "double",
    "date",
    "time",
    "timestamp",
    "timestamptz",
    "string",
    "uuid",
    "binary",
    "decimal(9, 2)",
    "decimal(38, 10)",
    "fixed[16]",
)
V3_TYPES = ("timestamp_ns", "timestamptz_ns", "variant", "unknown", "geometry", "geography")
TRANSFORMS = {
    "identity": set(V1_TYPES) | {"timestamp_ns", "timestamptz_ns"},
    "bucket[8]": set(V1_TYPES) - {"boolean", "float", "double"} | {"timestamp_ns", "timestamptz_ns"},
    "truncate[4]": {"int", "long", "string", "binary", "decimal(9, 2)", "decimal(38, 10)"},
    "day": {"date", "timestamp", "timestamptz", "timestamp_ns", "timestamptz_ns"},
    "month": {"date", "timestamp", "timestamptz", "timestamp_ns", "timestamptz_ns"},
    "hour": {"timestamp", "timestamptz", "timestamp_ns", "timestamptz_ns"},
    "void": set(V1_TYPES),
}


class Columns:
    """Makes schemas whose column ids count up from ``first_id``."""

    def __init__(self, random: Random, first_id: int, format_version: int) -> None:
        self.random = random
        self.next_id = first_id
        self.types = V1_TYPES + (V3_TYPES if format_version >= 3 else ())
        self.format_version = format_version

    def take_id(self) -> int:
        self.next_id += 1
        return self.next_id - 1

    def schema(self, size: int) -> dict[str, Any]:
        fields = [self.field(f"c{self.next_id}") for _ in range(size)]
        schema: dict[str, Any] = {"type": "struct", "schema-id": self.random.randint(0, 9), "fields": fields}
        keys = [
            field["id"]
            for field in fields
            if field["required"] and type(field["type"]) is str and field["type"] in ("int", "long", "string")
        ]
        if keys and self.random.random() < 0.5:
            schema["identifier-field-ids"] = keys[:2]
        return schema

    def field(self, name: str, depth: int = 0) -> dict[str, Any]:
        field_id = self.take_id()
        kind = self.type(depth)
        optional = kind == "unknown" or self.random.random() < 0.6
        field: dict[str, Any] = {"id": field_id, "name": name, "required": not optional, "type": kind}
        if self.random.random() < 0.2:
            field["doc"] = f"about {name} ünï"
        if kind == "string" and self.format_version >= 3 and self.random.random() < 0.3:
            field["initial-default"] = field["write-default"] = "none"
        return field

    def type(self, depth: int = 0) -> Any:
        shape = self.random.random()
        if depth > 2 or shape < 0.8:
            return self.random.choice(self.types)
        if shape < 0.87:
            return {
                "type": "list",
                "element-id": self.take_id(),
                "element": self.type(depth + 1),
                "element-required": False,
            }
        if shape < 0.93:
            return {
                "type": "map",
                "key-id": self.take_id(),
                "key": "string",
                "value-id": self.take_id(),
                "value": self.type(depth + 1),
                "value-required": False,
            }
        size = self.random.randint(1, 3)
        return {"type": "struct", "fields": [self.field(f"n{self.next_id}", depth + 1) for _ in range(size)]}


def transformable(schema: dict[str, Any]) -> list[tuple[int, str, str]]:
    """Return (source id, name, transform) for every way to partition by a top-level column."""
    return [
        (field["id"], field["name"], transform)
        for field in schema["fields"]
        if type(field["type"]) is str
        for transform, types in TRANSFORMS.items()
        if field["type"] in types
    ]


def partition_fields(random: Random, schema: dict[str, Any]) -> list[dict[str, Any]]:
    ways = transformable(schema)
    chosen = random.sample(ways, min(len(ways), random.randint(0, 3)))
    return [
        {"name": f"p_{name}_{transform.split('[')[0]}", "transform": transform, "source-id": source_id}
        for source_id, name, transform in chosen
    ]


def sort_fields(random: Random, schema: dict[str, Any]) -> list[dict[str, Any]]:
    ways = [way for way in transformable(schema) if way[2] != "void"]
    chosen = random.sample(ways, min(len(ways), random.randint(0, 3)))
    return [
        {
            "transform": transform,
            "source-id": source_id,
            "direction": random.choice(("asc", "desc")),
            "null-order": random.choice(("nulls-first", "nulls-last")),
        }
        for source_id, _, transform in chosen
    ]
