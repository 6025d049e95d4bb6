"""What a schema asks for, whatever way it is composed: members, choices, enumerations."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.support.schemas import JsonObject


@dataclass
class Shape:
    """``members`` by name with their schemas; ``choices`` are alternatives.

    ``tags`` are the members that tell alternatives apart, with their only value.
    """

    kinds: set[str] = field(default_factory=set)
    members: dict[str, JsonObject] = field(default_factory=dict)
    required: set[str] = field(default_factory=set)
    values: set[str] | None = None
    items: JsonObject | None = None
    map_of: JsonObject | None = None
    choices: list[JsonObject] = field(default_factory=list)
    tags: frozenset[tuple[str, str]] = frozenset()

    @property
    def is_anything(self) -> bool:
        return not (self.kinds or self.members or self.choices or self.items) and self.values is None


class Shapes:
    """Reads the schemas of one document."""

    def __init__(self, document: JsonObject) -> None:
        self._document = document

    def resolve(self, thing: Any) -> Any:
        while isinstance(thing, dict) and "$ref" in thing:
            at: Any = self._document
            for key in thing["$ref"].removeprefix("#/").split("/"):
                at = at[key]
            rest = {
                key: value for key, value in thing.items() if key not in {"$ref", "description", "deprecated"}
            }
            thing = {"allOf": [at, rest]} if rest else at
        return thing

    def of(self, schema: JsonObject) -> Shape:
        shape = Shape()
        self._collect(schema, shape)
        shape.kinds.discard("null")
        shape.tags = frozenset(self._tags(shape))
        return shape

    def _tags(self, shape: Shape) -> Iterator[tuple[str, str]]:
        for name in {"action", "type", "status"} & set(shape.members):
            values = self.of(shape.members[name]).values
            if values is not None and len(values) == 1:
                yield (name, *values)

    def _collect(self, schema: JsonObject, shape: Shape) -> None:
        schema = self.resolve(schema)
        kinds = schema.get("type", [])
        shape.kinds |= {kinds} if isinstance(kinds, str) else set(kinds)
        for name, member in schema.get("properties", {}).items():
            known = shape.members.get(name)
            shape.members[name] = member if known is None else {"allOf": [known, member]}
        shape.required |= set(schema.get("required", []))
        values = schema.get("enum", [schema["const"]] if "const" in schema else None)
        if values is not None:
            shape.values = {str(value) for value in values if value is not None}
        shape.items = schema.get("items", shape.items)
        if isinstance(schema.get("additionalProperties"), dict):
            shape.map_of = schema["additionalProperties"]
        for part in schema.get("allOf", []):
            self._collect(part, shape)
        for word in ("oneOf", "anyOf"):
            self._choose(schema.get(word, []), shape)

    def _choose(self, parts: list[JsonObject], shape: Shape) -> None:
        resolved = [(part, self.resolve(part)) for part in parts]
        real = [part for part, made in resolved if set(made) - {"required"} and made.get("type") != "null"]
        if len(real) == 1:
            self._collect(real[0], shape)
        else:
            shape.choices += real

    def alternatives(self, schema: JsonObject) -> list[Shape]:
        """Return the alternatives of a schema; itself when it has none."""
        shape = self.of(schema)
        if not shape.choices:
            return [shape]
        return [inner for choice in shape.choices for inner in self.alternatives(choice)]


def likest(wanted: Shape, others: list[Shape]) -> Shape | None:
    """Return the alternative that means the same: the same tag, else the most members in common."""
    if wanted.members:
        same = [other for other in others if wanted.tags and other.tags == wanted.tags]
        rest = [other for other in others if not (wanted.tags and other.tags)]
        ranked = sorted(same or rest, key=lambda other: -len(set(other.members) & set(wanted.members)))
        return next((other for other in ranked if set(other.members) & set(wanted.members)), None)
    fitting = [other for other in others if not other.members and other.kinds & wanted.kinds]
    exact = [other for other in fitting if other.values == wanted.values]
    return next(iter(exact or fitting), None)
