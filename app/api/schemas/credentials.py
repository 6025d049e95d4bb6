"""Requests for access to a table's files."""

from typing import Any
from urllib.parse import urlsplit

from marshmallow import ValidationError, fields, validate

from app.api.schemas.fields import RequestSchema, Text, TextMap, kind

METHODS = ("PUT", "GET", "HEAD", "POST", "DELETE", "PATCH", "OPTIONS")


class MultiValuedMap(fields.Field[dict[str, list[str]]]):
    """A JSON object whose values are arrays of strings."""

    json_schema = {
        "type": "object",
        "additionalProperties": {"type": "array", "items": {"type": "string"}},
    }

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> dict[str, list[str]]:
        if not isinstance(value, dict):
            raise ValidationError(f"expected an object, got {kind(value)}")
        for key, items in value.items():
            if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
                raise ValidationError(f"the value of {key!r} must be an array of strings")
        return value


def _absolute(uri: str) -> None:
    try:
        parts = urlsplit(uri)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise ValidationError("expected an absolute http or https URI")


class RemoteSignRequestSchema(RequestSchema):
    region = Text(required=True)
    uri = Text(required=True, validate=_absolute)
    method = Text(required=True, validate=validate.OneOf(METHODS, error="must be one of {choices}"))
    headers = MultiValuedMap(required=True)
    properties = TextMap(load_default=dict)
    body = Text(load_default=None)
    provider = Text(load_default="s3")
