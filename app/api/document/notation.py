"""The short notation of ``components/*.yaml``, and the JSON Schema it stands for.

A component has an ``about`` and one of

- ``members``: an object; a name that ends in ``?`` may be absent. ``closed`` objects have no other members,
  ``either`` lists members of which at least one is there, ``unique`` names an array without repetitions;
- ``any``: one of several components; ``by`` names the member that tells which;
- ``schema``: anything, as a type.

A type is ``string``, ``integer`` (32 bits), ``long`` (64 bits), ``boolean`` or ``null``, the name of a component,
``=text`` for that very text, ``[T]`` for an array, ``[T, "null"]`` for T or null, or JSON Schema as it is, in which
``$ref`` holds the name of a component, ``about`` is the description and ``schema`` a type.
"""

from typing import Any

JsonObject = dict[str, Any]
PREFIX = "#/components/schemas/"
_PRIMITIVES: dict[str, JsonObject] = {
    "string": {"type": "string"},
    "boolean": {"type": "boolean"},
    "integer": {"type": "integer", "format": "int32"},
    "long": {"type": "integer", "format": "int64"},
    "null": {"type": "null"},
}


def ref(name: str) -> JsonObject:
    return {"$ref": PREFIX + name}


def component(written: JsonObject, others: JsonObject) -> JsonObject:
    """Return the JSON Schema of a component.

    :param others: all components as they are written, by name
    """
    about = {"description": written["about"]} if "about" in written else {}
    if "members" in written:
        return {**about, **_object(written)}
    if "any" in written:
        return {**about, **_choice(written, others)}
    return {**about, **_type(written["schema"])}


def _object(written: JsonObject) -> JsonObject:
    members = {name.removesuffix("?"): _type(kind) for name, kind in written["members"].items()}
    made: JsonObject = {"type": "object", "properties": members}
    if required := [name for name in written["members"] if not name.endswith("?")]:
        made["required"] = required
    if written.get("closed"):
        made["additionalProperties"] = False
    if "either" in written:
        made["anyOf"] = [{"required": [name]} for name in written["either"]]
    if "unique" in written:
        members[written["unique"]]["uniqueItems"] = True
    return made


def _choice(written: JsonObject, others: JsonObject) -> JsonObject:
    names: list[str] = written["any"]
    made: JsonObject = {"oneOf": [ref(name) for name in names]}
    if "by" in written:
        tags = {others[name]["members"][written["by"]].removeprefix("="): PREFIX + name for name in names}
        made["discriminator"] = {"propertyName": written["by"], "mapping": tags}
    return made


def _type(kind: Any) -> JsonObject:
    if isinstance(kind, list):
        return (
            _nullable(_type(kind[0])) if kind[1:] == ["null"] else {"type": "array", "items": _type(kind[0])}
        )
    if isinstance(kind, dict):
        return _literal(kind)
    if kind.startswith("="):
        return {"const": kind[1:]}
    return dict(_PRIMITIVES.get(kind) or ref(kind))


def _nullable(schema: JsonObject) -> JsonObject:
    return {**schema, "type": [schema["type"], "null"]}


def _literal(kind: JsonObject) -> JsonObject:
    made: JsonObject = {}
    for key, value in kind.items():
        if key == "about":
            made["description"] = value
        elif key == "schema":
            made |= _type(value)
        elif key == "$ref":
            made |= ref(value)
        else:
            made[key] = _inside(value)
    return made


def _inside(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: ref(item)["$ref"] if key == "$ref" else _inside(item) for key, item in value.items()}
    return [_inside(item) for item in value] if isinstance(value, list) else value
