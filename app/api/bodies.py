"""Request bodies: JSON, read once, its envelope checked by a marshmallow schema.

The schemas never walk metadata: what lies inside a commit is checked by the rules that apply it.
"""

from functools import cache
from typing import Any

import msgspec
from marshmallow import Schema, ValidationError

from app.api.answers import JSON
from app.api.at_hand import at_hand
from app.errors import BadRequestException, UnsupportedMediaTypeException


def read_body(schema: type[Schema], *, optional: bool = False) -> dict[str, Any]:
    """Return the validated members of the request's JSON object.

    :param optional: whether an absent body counts as an empty object
    :raises BadRequestException: naming the member and the rule
    :raises UnsupportedMediaTypeException: when the body is declared to be something else than JSON
    """
    here = at_hand()
    request = here.request
    data = request.get_data(cache=True)
    if not data.strip():
        if not optional:
            raise BadRequestException("Invalid request body: expected a JSON object, got nothing")
        data = b"{}"
    elif request.environ.get("CONTENT_TYPE") != JSON and request.mimetype and not _is_json(request.mimetype):
        raise UnsupportedMediaTypeException(
            f"Unsupported Content-Type {request.mimetype}: the body has to be application/json"
        )
    body = here.body = _decode(data)
    if not isinstance(body, dict):
        raise BadRequestException("Invalid request body: expected a JSON object")
    return check_members(schema, body)


def check_members(schema: type[Schema], body: dict[str, Any]) -> dict[str, Any]:
    """Return the validated members of a JSON object.

    :raises BadRequestException: naming the member and the rule
    """
    try:
        return dict(_instance(schema).load(body))
    except ValidationError as error:
        raise BadRequestException(f"Invalid request body: {_describe(error.messages)}") from error


@cache
def _instance(schema: type[Schema]) -> Schema:
    # Making one takes longer than using it.
    return schema()


def _is_json(mimetype: str) -> bool:
    return mimetype == JSON or mimetype.endswith("+json")


def _decode(data: bytes) -> Any:
    try:
        body = msgspec.json.decode(data)
    except msgspec.DecodeError as error:
        raise BadRequestException(f"Malformed JSON: {_locate(str(error), data)}") from error
    except UnicodeDecodeError as error:
        raise BadRequestException("Malformed JSON: the body is not UTF-8") from error
    except RecursionError as error:
        raise BadRequestException("Malformed JSON: nested too deeply") from error
    if b"\\u0000" in data and _holds_nul(body):
        raise BadRequestException("Invalid request body: strings must not contain U+0000")
    return body


def _locate(message: str, data: bytes) -> str:
    """Turn the decoder's byte offset into a line and a column."""
    head, _, offset = message.partition("(byte ")
    if not offset and "truncated" not in message:
        return message
    before = data[: int(offset.rstrip(")"))] if offset else data
    line, column = before.count(b"\n") + 1, len(before) - before.rfind(b"\n")
    return f"{head.removeprefix('JSON is malformed: ').strip()} at line {line}, column {column}"


def _holds_nul(value: Any) -> bool:
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, str):
            if "\0" in item:
                return True
        elif isinstance(item, dict):
            pending += item.keys()
            pending += item.values()
        elif isinstance(item, list):
            pending += item
    return False


def _join(path: str, key: str) -> str:
    if key == "_schema":
        return path
    return f"{path}.{key}" if path else key


def _describe(messages: Any, path: str = "") -> str:
    if isinstance(messages, dict):
        return "; ".join(_describe(value, _join(path, key)) for key, value in messages.items())
    text = " ".join(str(message).rstrip(".") for message in messages)
    return f"{path}: {text}" if path else text
