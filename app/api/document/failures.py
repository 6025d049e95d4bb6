"""The failures of an operation: those it declares, and those that every operation shares."""

from collections import defaultdict

from apispec.core import Components

from app.api.declarations import IDEMPOTENCY_KEY, Declaration, Failure
from app.api.document.notation import JsonObject, ref
from app.errors import (
    BadRequestException,
    CommitStateUnknownException,
    ForbiddenException,
    IllegalArgumentException,
    InternalServerError,
    MethodNotAllowedException,
    NoSuchWarehouseException,
    NotAuthorizedException,
    RequestHeaderFieldsTooLargeException,
    RequestTimeoutException,
    RequestTooLargeException,
    ServiceUnavailableException,
    SlowDownException,
    TooManyRequestsException,
    UnprocessableEntityException,
    UnsupportedMediaTypeException,
    UriTooLongException,
    ValidationException,
)

EVERYWHERE: tuple[Failure, ...] = (
    BadRequestException,
    NotAuthorizedException,
    MethodNotAllowedException,
    RequestTimeoutException,
    UriTooLongException,
    TooManyRequestsException,
    RequestHeaderFieldsTooLargeException,
    InternalServerError,
    ServiceUnavailableException,
    SlowDownException,
)
WITH_BODY: tuple[Failure, ...] = (
    IllegalArgumentException,
    ValidationException,
    RequestTooLargeException,
    UnsupportedMediaTypeException,
)
WITH_KEY: tuple[Failure, ...] = (
    CommitStateUnknownException,
    IllegalArgumentException,
    ValidationException,
    UnprocessableEntityException,
)
_MEANINGS = {
    400: "The request cannot be understood, or what it asks for breaks a rule.",
    401: "It needs somebody, and the request does not show who that is.",
    403: "A privilege is missing, which the message names; or the warehouse is deactivated.",
    404: "There is no such thing.",
    405: "The path does not have this method.",
    406: "This server does not do that.",
    408: "The request did not arrive in time.",
    409: "It conflicts with what is there.",
    413: "The body is too large.",
    414: "The target is too long.",
    415: "The body is declared to be something else than JSON.",
    422: "The request contradicts itself, or its idempotency key was used for another one.",
    429: "Too many requests; nothing was done, try again.",
    431: "The headers are too large.",
    500: "A fault of the server. Whether a commit was applied is unknown if the type says so.",
    503: "Not now: nothing was done, try again.",
}
_HEADERS = {401: ("WWW-Authenticate",), 405: ("Allow",), 429: ("Retry-After",), 503: ("Retry-After",)}


def failures_of(path: str, declared: Declaration) -> set[Failure]:
    """Return the classes of all errors that an operation may answer with."""
    if declared.plain:
        return set(declared.fails)
    found = {*EVERYWHERE, *declared.fails}
    if "{prefix}" in path or "{warehouse}" in path:
        found.add(NoSuchWarehouseException)
    if "{prefix}" in path or declared.needs is not None:
        found.add(ForbiddenException)
    if declared.body is not None:
        found.update(WITH_BODY)
    if IDEMPOTENCY_KEY in declared.takes:
        found.update(WITH_KEY)
    return found


def responses_of_failures(
    method: str, path: str, declared: Declaration, components: Components
) -> dict[str, JsonObject]:
    """Return the responses by status; equal ones are components that operations share."""
    types = defaultdict(set)
    for kind in failures_of(path, declared):
        types[kind.code].add(kind.__name__)
    made: dict[str, JsonObject] = {}
    for status, names in types.items():
        name = ".".join([str(status), *sorted(names), *(["HEAD"] if method == "HEAD" else [])])
        if name not in components.responses:
            components.response(name, _response(status, sorted(names), has_body=method != "HEAD"))
        made[str(status)] = {"$ref": f"#/components/responses/{name}"}
    if not declared.plain:
        made["5XX"] = _other_faults(components, has_body=method != "HEAD")
    return made


def _other_faults(components: Components, *, has_body: bool) -> JsonObject:
    name = "5XX" if has_body else "5XX.HEAD"
    if name not in components.responses:
        made: JsonObject = {
            "description": "Any other fault, such as one of a gateway in front of the server."
        }
        if has_body:
            made["content"] = {"application/json": {"schema": ref("ErrorResponse")}}
        components.response(name, made)
    return {"$ref": f"#/components/responses/{name}"}


def _response(status: int, names: list[str], *, has_body: bool) -> JsonObject:
    text = f"{_MEANINGS[status]} Type: {' or '.join(f'`{name}`' for name in names)}."
    headers = ("X-Request-ID", *_HEADERS.get(status, ()))
    made: JsonObject = {
        "description": text,
        "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in headers},
    }
    if has_body:
        exact = {"type": {"enum": names}, "code": {"const": status}}
        schema = {"allOf": [ref("ErrorResponse"), {"properties": {"error": {"properties": exact}}}]}
        made["content"] = {"application/json": {"schema": schema}}
    return made
