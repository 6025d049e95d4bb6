"""Fresh column ids for a new table.

Source: the Java reference's ``AssignFreshIds``: a struct's fields are numbered before what is in them.
"""

from itertools import count
from typing import Any

from app.metadata.shapes import JsonObject


def assign_fresh_ids(schema: JsonObject) -> tuple[JsonObject, dict[int, int]]:
    """Number all columns of a valid schema from 1.

    :return: the schema with schema id 0, and the new id of every old id
    """
    fresh = _Fresh()
    struct = {**schema, "type": "struct", "schema-id": 0, **fresh.struct(schema)}
    identifiers = schema.get("identifier-field-ids")
    if identifiers:
        struct["identifier-field-ids"] = [fresh.ids[field_id] for field_id in identifiers]
    return struct, fresh.ids


class _Fresh:
    def __init__(self) -> None:
        self.ids: dict[int, int] = {}
        self._next = count(1)

    def number(self, old_id: int) -> int:
        self.ids[old_id] = next(self._next)
        return self.ids[old_id]

    def struct(self, struct: JsonObject) -> JsonObject:
        fields = [{**field, "id": self.number(field["id"])} for field in struct["fields"]]
        return {"fields": [{**field, "type": self.type(field["type"])} for field in fields]}

    def type(self, kind: Any) -> Any:
        if type(kind) is str:
            return kind
        if kind["type"] == "struct":
            return {**kind, **self.struct(kind)}
        if kind["type"] == "list":
            element_id = self.number(kind["element-id"])
            return {**kind, "element-id": element_id, "element": self.type(kind["element"])}
        key_id, value_id = self.number(kind["key-id"]), self.number(kind["value-id"])
        inner = {"key": self.type(kind["key"]), "value": self.type(kind["value"])}
        return {**kind, "key-id": key_id, "value-id": value_id, **inner}
