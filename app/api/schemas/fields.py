"""Fields that take JSON as strictly as Iceberg's Java reference does: no number for a string, no null for a map.

``json_schema`` is what the OpenAPI document says of a field; a field of which it cannot know names the component that
it holds in its metadata: ``component`` of a value, ``items`` of an array.
"""

from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields


class RequestSchema(Schema):
    """Unknown members are ignored; null for an optional member means that it is absent."""

    class Meta:
        unknown = EXCLUDE

    def load(self, data: Any, **options: Any) -> Any:
        """As marshmallow's; a hook would do the same but costs a third of the whole."""
        if isinstance(data, dict):
            data = {key: value for key, value in data.items() if value is not None}
        return super().load(data, **options)


class Text(fields.Field[str]):
    """A JSON string."""

    json_schema = {"type": "string"}

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        if not isinstance(value, str):
            raise ValidationError(f"expected a string, got {kind(value)}")
        return value


class Flag(fields.Field[bool]):
    """A JSON boolean."""

    json_schema = {"type": "boolean"}

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> bool:
        if not isinstance(value, bool):
            raise ValidationError(f"expected a boolean, got {kind(value)}")
        return value


class WholeNumber(fields.Field[int]):
    """A JSON number without a fraction."""

    json_schema = {"type": "integer"}

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValidationError(f"expected a whole number, got {kind(value)}")
        return value


class TextMap(fields.Field[dict[str, str]]):
    """A JSON object whose values are strings."""

    json_schema = {"type": "object", "additionalProperties": {"type": "string"}}

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> dict[str, str]:
        if not isinstance(value, dict):
            raise ValidationError(f"expected an object, got {kind(value)}")
        for key, text in value.items():
            if not isinstance(text, str):
                raise ValidationError(f"the value of {key!r} must be a string, got {kind(text)}")
        return value


class TextList(fields.Field[list[str]]):
    """A JSON array of strings."""

    json_schema = {"type": "array", "items": {"type": "string"}}

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> list[str]:
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise ValidationError("expected an array of strings")
        return value


class Items(fields.Field[list[Any]]):
    """A JSON array whose items somebody else checks."""

    json_schema = {"type": "array"}

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> list[Any]:
        if not isinstance(value, list):
            raise ValidationError(f"expected an array, got {kind(value)}")
        return value


def kind(value: Any) -> str:
    """What JSON calls a value."""
    if value is None:
        return "null"
    names = {bool: "a boolean", int: "a number", float: "a number", str: "a string", list: "an array"}
    return names.get(type(value), "an object")
