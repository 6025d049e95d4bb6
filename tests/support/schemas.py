"""JSON Schema as strict as it can be: integers have their range, an unknown format is an error."""

from functools import cached_property
from typing import Any

import jsonschema_rs

JsonObject = dict[str, Any]
RANGES = {"int32": 2**31, "int64": 2**63}
# Of OpenAPI's number formats; in JSON they are numbers like all others.
NUMBERS = {"float", "double"}
BASE64 = r"^[A-Za-z0-9+/_-]*={0,2}$"


class Validators:
    """Compiled schemas of one OpenAPI document."""

    def __init__(self, document: JsonObject) -> None:
        self._document = document
        self._compiled: dict[str, jsonschema_rs.Validator] = {}

    @cached_property
    def _components(self) -> JsonObject:
        return {"schemas": strict(self._document["components"]["schemas"])}

    def of(self, schema: JsonObject) -> jsonschema_rs.Validator:
        """Return the validator of a schema of the document.

        :raises jsonschema_rs.ValidationError: when the schema itself is none, or has a format nobody knows
        """
        key = repr(schema)
        if key not in self._compiled:
            whole = {**strict(schema), "components": self._components}
            self._compiled[key] = jsonschema_rs.Draft202012Validator(
                whole, validate_formats=True, ignore_unknown_formats=False
            )
        return self._compiled[key]


def strict(schema: Any) -> Any:
    """Return the schema with the formats of OpenAPI spelled as JSON Schema."""
    if isinstance(schema, list):
        return [strict(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: strict(value) for key, value in schema.items()}
    form = made.get("format")
    if isinstance(form, str) and form in RANGES:
        del made["format"]
        limits = {"minimum": -RANGES[form], "maximum": RANGES[form] - 1}
        made = {**limits, **made}
    elif isinstance(form, str) and form in NUMBERS:
        del made["format"]
    if made.get("contentEncoding") == "base64":
        made.pop("format", None)
        made["pattern"] = BASE64
    return made
