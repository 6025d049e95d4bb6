"""Compares two documents: operations, parameters, headers, statuses, members, what is required, enumerations."""

from typing import Any

from tests.conformance.shapes import Shape, Shapes, likest
from tests.support.schemas import JsonObject

METHODS = ("get", "head", "post", "put", "patch", "delete")


def differences(official: JsonObject, own: JsonObject) -> list[str]:
    """Return what our document has otherwise than the official one, a sentence each, without repetitions."""
    comparison = _Comparison(official, own)
    comparison.compare()
    return sorted(set(comparison.found))


class _Comparison:
    def __init__(self, official: JsonObject, own: JsonObject) -> None:
        self._official, self._own = official, own
        self._theirs, self._ours = Shapes(official), Shapes(own)
        self._seen: set[str] = set()
        # What we ask for more than they do matters in requests only.
        self._asked = False
        self.found: list[str] = []

    def compare(self) -> None:
        for path, item in self._official["paths"].items():
            for method in METHODS:
                if method not in item:
                    continue
                name = f"{method.upper()} {path}"
                other = self._own["paths"].get(path, {})
                if method not in other:
                    self.found.append(f"{name}: the operation is missing")
                else:
                    self._operation(name, item, other, method)

    def _operation(self, name: str, theirs: JsonObject, ours: JsonObject, method: str) -> None:
        self._parameters(
            name, _parameters(theirs, method, self._theirs), _parameters(ours, method, self._ours)
        )
        self._request(name, theirs[method].get("requestBody"), ours[method].get("requestBody"))
        mine = {str(status): answer for status, answer in ours[method]["responses"].items()}
        yours = {str(status): answer for status, answer in theirs[method]["responses"].items()}
        self._sets(name, "status", _precise(set(yours), set(mine)), _precise(set(mine), set(yours)))
        for status in set(mine) & set(yours):
            self._answer(
                f"{name} {status}", self._theirs.resolve(yours[status]), self._ours.resolve(mine[status])
            )

    def _sets(self, name: str, what: str, theirs: set[str], ours: set[str]) -> None:
        self.found += [f"{name}: {what} {item} is missing" for item in theirs - ours]
        self.found += [f"{name}: {what} {item} is added" for item in ours - theirs]

    def _parameters(self, name: str, theirs: JsonObject, ours: JsonObject) -> None:
        self._sets(name, "parameter", set(theirs), set(ours))
        for key in set(theirs) & set(ours):
            if theirs[key].get("required", False) != ours[key].get("required", False):
                self.found.append(f"{name}: parameter {key} is required in one document only")
            self._schemas(f"{name} {key}", theirs[key]["schema"], ours[key]["schema"])

    def _request(self, name: str, theirs: Any, ours: Any) -> None:
        theirs, ours = self._theirs.resolve(theirs), self._ours.resolve(ours)
        if theirs is None or ours is None:
            if theirs is not ours:
                self.found.append(f"{name}: the request body is {'missing' if ours is None else 'added'}")
            return
        self._asked = True
        self._contents(f"{name} request", theirs, ours)
        self._asked = False

    def _answer(self, name: str, theirs: JsonObject, ours: JsonObject) -> None:
        headers = [{header.lower() for header in answer.get("headers", {})} for answer in (theirs, ours)]
        self.found += [f"{name}: header {header} is missing" for header in headers[0] - headers[1]]
        if name.startswith("HEAD "):
            return
        if bool(theirs.get("content")) != bool(ours.get("content")):
            self.found.append(f"{name}: the body is {'missing' if theirs.get('content') else 'added'}")
        else:
            self._contents(name, theirs, ours)

    def _contents(self, name: str, theirs: JsonObject, ours: JsonObject) -> None:
        for kind, content in theirs.get("content", {}).items():
            if kind not in ours["content"]:
                self.found.append(f"{name}: media type {kind} is missing")
            else:
                self._schemas(name, content["schema"], ours["content"][kind]["schema"])

    def _schemas(self, name: str, theirs: JsonObject, ours: JsonObject) -> None:
        # A component is compared once, under its own name, however often it is used.
        if set(theirs) <= {"$ref", "description", "deprecated"} and "$ref" in theirs:
            name = theirs["$ref"].rpartition("/")[2]
        if (key := f"{self._asked} {name} {ours!r}") in self._seen:
            return
        self._seen.add(key)
        alternatives = self._theirs.alternatives(theirs)
        mine = self._ours.alternatives(ours)
        if not alternatives[0].is_anything and any(shape.is_anything for shape in mine):
            self.found.append(f"{name}: may be anything")
            return
        if len(alternatives) == 1 and len(mine) == 1:
            self._shapes(name, alternatives[0], mine[0])
            return
        for shape in alternatives:
            partner = likest(shape, mine)
            if partner is None:
                self.found.append(f"{name}: the choice of {_describe(shape)} is missing")
            else:
                self._shapes(name, shape, partner)

    def _shapes(self, name: str, theirs: Shape, ours: Shape) -> None:
        if theirs.kinds and ours.kinds and not theirs.kinds & ours.kinds:
            self.found.append(f"{name}: is {_words(ours.kinds)}, not {_words(theirs.kinds)}")
            return
        if theirs.values is not None and theirs.values != ours.values:
            self.found.append(f"{name}: the values are {_words(ours.values)}, not {_words(theirs.values)}")
        for member, schema in theirs.members.items():
            if member not in ours.members:
                self.found.append(f"{name}: member {member} is missing")
                continue
            required = (member in theirs.required, member in ours.required)
            if required == (True, False):
                self.found.append(f"{name}: member {member} may be absent")
            elif required == (False, True) and self._asked:
                self.found.append(f"{name}: member {member} is required")
            self._schemas(f"{name}.{member}", schema, ours.members[member])
        for mine, yours in ((theirs.items, ours.items), (theirs.map_of, ours.map_of)):
            if mine is not None and yours is not None:
                self._schemas(f"{name} item", mine, yours)


def _parameters(item: JsonObject, method: str, shapes: Shapes) -> JsonObject:
    written = [*item.get("parameters", []), *item[method].get("parameters", [])]
    resolved = [shapes.resolve(parameter) for parameter in written]
    return {f"{parameter['in']} {parameter['name']}": parameter for parameter in resolved}


def _precise(statuses: set[str], others: set[str]) -> set[str]:
    """Leave out what the other document has as a range."""
    return {status for status in statuses if f"{status[0]}XX" not in others or status.endswith("XX")}


def _words(values: set[str] | None) -> str:
    return " or ".join(sorted(values)) if values else "anything"


def _describe(shape: Shape) -> str:
    return (
        f"an object with {_words(set(shape.members))}"
        if shape.members
        else _words(shape.values or shape.kinds)
    )
