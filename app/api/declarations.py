"""What an operation takes, answers and refuses: said beside its route, published as OpenAPI, tested against."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from marshmallow import Schema

from app.auth.decide import Need
from app.errors import ServiceError

JsonObject = dict[str, Any]
Body = str | type[Schema] | None
Failure = type[ServiceError]
TEXT: JsonObject = {"type": "string"}
JSON_ONLY = ("application/json",)


@dataclass(frozen=True, slots=True)
class Parameter:
    """A query parameter or request header. ``style`` are further members of its OpenAPI object."""

    name: str
    where: str
    text: str
    schema: JsonObject = field(default_factory=lambda: TEXT)
    style: JsonObject = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """``body`` is a component's name, a marshmallow schema, or None; ``headers`` are names of ``HEADERS``."""

    body: Body
    headers: tuple[str, ...] = ()
    media_types: tuple[str, ...] = ("application/json",)


@dataclass(frozen=True, slots=True)
class Declaration:
    """The contract of one operation. Failures that every operation shares are added by the document."""

    summary: str
    name: str
    takes: tuple[Parameter, ...] = ()
    body: Body = None
    body_optional: bool = False
    body_types: tuple[str, ...] = JSON_ONLY
    answers: Mapping[int, Answer] = field(default_factory=dict)
    fails: tuple[Failure, ...] = ()
    plain: bool = False
    needs: Need | None = None


def declare(
    summary: str,
    name: str,
    *,
    takes: Sequence[Parameter] = (),
    body: Body = None,
    body_optional: bool = False,
    body_types: tuple[str, ...] = JSON_ONLY,
    answers: Mapping[int, Answer | Body] | None = None,
    fails: Sequence[Failure] = (),
    plain: bool = False,
    needs: Need | None = None,
) -> Declaration:
    """
    :param name: the operation's name, ``load_table``
    :param answers: by status; a component's name or a marshmallow schema stands for a JSON body
    :param plain: outside of the API: none of its common failures apply
    :param needs: what the caller must be allowed to do
    """
    made = {
        status: answer if isinstance(answer, Answer) else Answer(answer)
        for status, answer in ({204: None} if answers is None else answers).items()
    }
    return Declaration(
        summary, name, tuple(takes), body, body_optional, body_types, made, tuple(fails), plain, needs
    )


def tagged(body: Body) -> Answer:
    """An answer with an ``ETag``."""
    return Answer(body, ("ETag",))


HEADERS: dict[str, JsonObject] = {
    "X-Request-ID": {
        "description": "The id of the request: the client's own when it sent one, else a new one.",
        "schema": TEXT,
        "required": True,
    },
    "ETag": {
        "description": "Names this representation of the table; send it back in If-None-Match.",
        "schema": TEXT,
    },
    "Retry-After": {
        "description": "Seconds after which to try again.",
        "schema": {"type": "integer", "minimum": 0},
    },
    "WWW-Authenticate": {"description": "How to say who one is.", "schema": TEXT},
    "Cache-Control": {
        "description": "`private`: the answer may be used again for the same request, `no-cache`: it may not.",
        "schema": TEXT,
    },
    "Allow": {"description": "The methods of this path.", "schema": TEXT},
    "Location": {"description": "Where to look next.", "schema": TEXT},
}

PAGE_TOKEN = Parameter(
    "pageToken", "query", "`next-page-token` of the page before; empty or absent starts at the beginning."
)
PAGE_SIZE = Parameter(
    "pageSize",
    "query",
    "The most items a page may have. Without it the answer is not cut into pages.",
    {"type": "integer", "minimum": 1},
)
PAGES = (PAGE_TOKEN, PAGE_SIZE)
PARENT = Parameter(
    "parent", "query", "List the children of this namespace; its levels are separated by U+001F."
)
WAREHOUSE = Parameter(
    "warehouse", "query", "Name or root location of a warehouse; without it the default one is meant."
)
SNAPSHOTS = Parameter(
    "snapshots",
    "query",
    "`refs` leaves out the snapshots that no branch or tag points to.",
    {"type": "string", "enum": ["all", "refs"], "default": "all"},
)
IF_NONE_MATCH = Parameter(
    "If-None-Match", "header", "Entity tags the client has seen; the answer to one that still holds is 304."
)
REFERENCED_BY = Parameter(
    "referenced-by",
    "query",
    "The views through which the object is read, outermost first, separated by commas.",
)
PLAN_ID = Parameter("planId", "query", "The id of a scan that the server planned.")
DATA_ACCESS = Parameter(
    "X-Iceberg-Access-Delegation",
    "header",
    "The ways to reach the data that the client knows, separated by commas. Unknown ones are ignored.",
    {"type": "array", "items": {"type": "string", "enum": ["vended-credentials", "remote-signing"]}},
    {"style": "simple", "explode": False},
)
PURGE = Parameter(
    "purgeRequested",
    "query",
    "Whether the files of the table are deleted as well.",
    {"type": "boolean", "default": False},
)
FORCE = Parameter(
    "force",
    "query",
    "Whether it is done even if something is protected.",
    {"type": "boolean", "default": False},
)
INCLUDE_DELETED = Parameter(
    "include-deleted",
    "query",
    "Whether what was deleted or revoked is listed as well.",
    {"type": "boolean", "default": False},
)
OF_PRINCIPAL = Parameter("principal", "query", "The name of the principal whose they are.")
IDEMPOTENCY_KEY = Parameter(
    "Idempotency-Key",
    "header",
    "A UUID of the client's making: a repeated request with the same key is answered without doing it again.",
    {"type": "string", "format": "uuid", "minLength": 36, "maxLength": 36},
)
