"""An OpenAPI document as a judge: does an exchange keep to it, in both directions?"""

import json
import re
from functools import cache
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote

import jsonschema_rs

from tests.support.exchanges import Exchange
from tests.support.schemas import JsonObject, Validators

# After these a request need not have been valid; after all others it must have been.
REFUSALS = frozenset({400, 401, 405, 408, 413, 414, 415, 431})
OAUTH = "/v1/oauth/tokens"
OAUTH_ENVELOPE: JsonObject = {
    "type": "object",
    "required": ["error"],
    "additionalProperties": False,
    "properties": {"error": {"type": "string"}, "error_description": {"type": "string"}},
}
FORM = "application/x-www-form-urlencoded"
ENVELOPE: JsonObject = {
    "type": "object",
    "required": ["error"],
    "additionalProperties": False,
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "type", "code"],
            "properties": {
                "message": {"type": "string", "minLength": 1},
                "type": {"type": "string", "pattern": "^[A-Z][A-Za-z]+(Exception|Error)$"},
                "code": {"type": "integer"},
            },
        }
    },
}


class Operation(NamedTuple):
    """``name`` is method and template; all references but those of schemas are resolved."""

    name: str
    template: re.Pattern[str]
    parameters: tuple[JsonObject, ...]
    body: JsonObject | None
    responses: dict[str, JsonObject]

    def response(self, status: int) -> JsonObject | None:
        return self.responses.get(str(status)) or self.responses.get(f"{status // 100}XX")


class Contract:
    """:param document: an OpenAPI 3.1 document"""

    def __init__(self, document: JsonObject) -> None:
        self._document = document
        self._validators = Validators(document)
        self.operations = {operation.name: operation for operation in self._read()}
        self._find = cache(self._search)

    def find(self, method: str, path: str) -> Operation | None:
        """Return the operation of a request; the segment of the prefix may be left out."""
        return self._find(method, path.removesuffix("/"))

    def faults_of_request(self, exchange: Exchange) -> list[str]:
        """Return what in a request that was not refused the document does not allow."""
        operation = self.find(exchange.method, exchange.path)
        if operation is None or exchange.status in REFUSALS:
            return []
        found = []
        for parameter in operation.parameters:
            for value in _values(parameter, exchange):
                found += self._check(f"{parameter['in']} {parameter['name']}", parameter["schema"], value)
        if operation.body is None:
            return found
        if not exchange.request.body.strip():
            return [*found, "the body is missing"] if operation.body.get("required") else found
        content = operation.body["content"]
        media_type = exchange.request.headers.get("Content-Type", "").partition(";")[0]
        if media_type == FORM:
            fields = dict(parse_qsl(exchange.request.body.decode(), keep_blank_values=True))
            return found + self._check("body", content[FORM]["schema"], fields)
        if "application/json" not in content:
            return [*found, f"media type {media_type!r} is not documented"]
        return found + self._check("body", content["application/json"]["schema"], exchange.request.json())

    def faults_of_answer(self, exchange: Exchange) -> list[str]:
        """Return what in an answer the document does not allow."""
        operation = self.find(exchange.method, exchange.path)
        if operation is None:
            return self._faults_off_the_map(exchange)
        response = operation.response(exchange.status)
        if response is None:
            return [f"status {exchange.status} is not documented"]
        found = [
            f"header {name} is missing"
            for name, header in response.get("headers", {}).items()
            if self._resolve(header).get("required") and name not in exchange.answer.headers
        ]
        return found + self._faults_of_content(response, exchange)

    def _faults_of_content(self, response: JsonObject, exchange: Exchange) -> list[str]:
        content, body = response.get("content"), exchange.answer.body
        if not content or exchange.method == "HEAD":
            return [f"a body where none belongs: {body[:200]!r}"] if body and content is None else []
        media_type = exchange.answer.headers.get("Content-Type", "").partition(";")[0]
        if media_type not in content:
            return [f"media type {media_type!r} is not documented"]
        if media_type != "application/json":
            return []
        return self._check("answer", content[media_type]["schema"], exchange.answer.json())

    def _faults_off_the_map(self, exchange: Exchange) -> list[str]:
        """A path or method that the document does not have may only be refused, in the one envelope."""
        if exchange.method == "HEAD" and self.find("GET", exchange.path):
            return []
        if exchange.status not in {400, 404, 405, 408, 413, 414, 429, 431, 503}:
            return [f"{exchange.status} for what is not in the document"]
        if exchange.method == "HEAD":
            return []
        envelope = OAUTH_ENVELOPE if exchange.path == OAUTH else ENVELOPE
        return self._check("answer", envelope, exchange.answer.json())

    def _check(self, what: str, schema: JsonObject, value: Any) -> list[str]:
        errors = self._validators.of(schema).iter_errors(value)
        return [
            f"{what}{''.join(f'[{key!r}]' for key in error.instance_path)}: {_short(error)}"
            for error in errors
        ]

    def _search(self, method: str, path: str) -> Operation | None:
        paths = [path]
        if path.startswith("/v1/") and path != "/v1/config":
            paths.insert(0, f"/v1/-{path.removeprefix('/v1')}")
        for candidate in paths:
            for operation in self.operations.values():
                if operation.name.startswith(f"{method} ") and operation.template.fullmatch(candidate):
                    return operation
        return None

    def _read(self) -> list[Operation]:
        return [
            self._operation(method, path, item)
            for path, item in self._document["paths"].items()
            for method in item
            if method in {"get", "head", "post", "put", "patch", "delete"}
        ]

    def _operation(self, method: str, path: str, item: JsonObject) -> Operation:
        written = item[method]
        parameters = [*item.get("parameters", []), *written.get("parameters", [])]
        pattern = re.sub(r"\\\{[^}]+\\\}", "[^/]+", re.escape(path))
        return Operation(
            f"{method.upper()} {path}",
            re.compile(pattern),
            tuple(self._resolve(parameter) for parameter in parameters),
            self._resolve(written.get("requestBody")),
            {str(status): self._resolve(response) for status, response in written["responses"].items()},
        )

    def _resolve(self, thing: Any) -> Any:
        while isinstance(thing, dict) and "$ref" in thing:
            at: Any = self._document
            for key in thing["$ref"].removeprefix("#/").split("/"):
                at = at[key]
            thing = at
        return thing


def _values(parameter: JsonObject, exchange: Exchange) -> list[Any]:
    name, place = parameter["name"], parameter["in"]
    if place == "query":
        pairs = parse_qsl(exchange.query, keep_blank_values=True)
        texts = [value for key, value in pairs if key == name]
    elif place == "header":
        texts = [exchange.request.headers[name]] if name in exchange.request.headers else []
    else:
        return []
    return [_parsed(text, parameter["schema"]) for text in texts]


def _parsed(text: str, schema: JsonObject) -> Any:
    kinds = schema.get("type", "string")
    if "integer" in kinds and re.fullmatch(r"-?\d+", text):
        return int(text)
    if "boolean" in kinds and text in {"true", "false"}:
        return text == "true"
    if "array" in kinds:
        return [item.strip() for item in text.split(",")]
    return unquote(text)


def _short(error: jsonschema_rs.ValidationError) -> str:
    return error.message if len(error.message) < 500 else f"{error.message[:200]} … {error.message[-280:]}"


class Outer(Contract):
    """A document that says nothing about some operations and statuses, as another one does.

    In its requests null stands for an absent member, as clients in Rust and the reference implementation have it.
    """

    def faults_of_request(self, exchange: Exchange) -> list[str]:
        found = super().faults_of_request(exchange)
        if not found or b"null" not in exchange.request.body:
            return found
        body = json.dumps(_without_nulls(exchange.request.json())).encode()
        return super().faults_of_request(exchange._replace(request=exchange.request._replace(body=body)))

    def faults_of_answer(self, exchange: Exchange) -> list[str]:
        operation = self.find(exchange.method, exchange.path)
        if operation is None or operation.response(exchange.status) is None:
            return []
        return super().faults_of_answer(exchange)


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value
