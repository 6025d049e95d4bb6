"""Marshmallow schemas as JSON Schema: apispec's plugin, told about the fields of our own."""

from typing import Any

from apispec.ext.marshmallow import MarshmallowPlugin
from marshmallow import Schema, fields

from app.api.document.notation import JsonObject, ref
from app.api.schemas.fields import RequestSchema


def schema_plugin() -> MarshmallowPlugin:
    """Return the plugin; a schema ``LoadFooSchema`` becomes the component ``LoadFoo``."""
    return _Plugin(schema_name_resolver=_name)


class _Plugin(MarshmallowPlugin):
    def init_spec(self, spec: Any) -> None:
        super().init_spec(spec)
        assert self.converter is not None
        self.converter.add_attribute_function(_own_field)  # type: ignore[no-untyped-call]
        self.converter.add_attribute_function(_optional)  # type: ignore[no-untyped-call]


def _name(schema: Any) -> str:
    kind = schema if isinstance(schema, type) else type(schema)
    return kind.__name__.removesuffix("Schema")


def _own_field(_: Any, field: fields.Field[Any], **__: Any) -> JsonObject:
    """What a field of our own says about itself; ``metadata={"component": "Schema"}`` names a component."""
    made: JsonObject = dict(getattr(field, "json_schema", {}))
    if "items" in field.metadata and isinstance(field.metadata["items"], str):
        made["items"] = ref(field.metadata["items"])
    if "component" in field.metadata:
        made["allOf"] = [ref(field.metadata["component"])]
    return made


def _optional(_: Any, field: fields.Field[Any], *, ret: JsonObject) -> JsonObject:
    """In requests null stands for an absent optional member."""
    if ret.get("default", "") is None:
        del ret["default"]
    parent: Schema | None = getattr(field, "parent", None)
    if field.required or not isinstance(parent, RequestSchema):
        return {}
    if isinstance(ret.get("type"), str):
        return {"type": [ret["type"], "null"]}
    if "allOf" in ret:
        return {"anyOf": [*ret.pop("allOf"), {"type": "null"}]}
    return {}
