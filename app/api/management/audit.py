"""Who did, or was refused, what."""

import re
from ipaddress import ip_address
from typing import Any

import msgspec
from flask import request

from app.api.answers import Response, json_answer
from app.api.context import catalog
from app.api.declarations import PAGES, Parameter
from app.api.management.operations import ManagementOperations
from app.api.needs import SECURITY
from app.api.pages import requested_page
from app.api.parameters import text_parameter, time_parameter
from app.api.schemas.management_audit import OUTCOMES, ListAuditResponseSchema
from app.changes.trail import CHANGE, AuditFilter, Place, list_audit
from app.db import Row
from app.errors import BadRequestException
from app.identifiers import Namespace, split_namespace

resource = ManagementOperations("audit")
PAGE, MOST_LISTED = 100, 1_000
_PLACE = re.compile(
    r"([0-9]{1,18}) (?:(change) ([0-9]{1,19})|(event) ([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}))"
)
_EVENT_TYPE = re.compile(r"[a-z]+\.[a-z-]+")
_TIME = {"type": "integer", "format": "int64", "minimum": 0}
FILTERS = (
    Parameter("actor", "query", "Only what this principal did."),
    Parameter("event-type", "query", "Only events of this type, such as `table.dropped` or `access.denied`."),
    Parameter("outcome", "query", "Only what ended so.", {"type": "string", "enum": list(OUTCOMES)}),
    Parameter("warehouse", "query", "Only what is in the warehouse of this name, also one that is deleted."),
    Parameter(
        "namespace",
        "query",
        "Only this namespace of `warehouse` and what is in it; its levels are separated by U+001F.",
    ),
    Parameter("name", "query", "Only objects with this name."),
    Parameter("address", "query", "Only requests from this address."),
    Parameter("request-id", "query", "Only the request with this id: the error id of a 403."),
    Parameter(
        "from", "query", "Only what happened at this time or later, in milliseconds since the epoch.", _TIME
    ),
    Parameter("to", "query", "Only what happened before this time, in milliseconds since the epoch.", _TIME),
)
_KNOWN = {parameter.name for parameter in (*FILTERS, *PAGES)}


@resource.operation(
    "GET",
    "/audit",
    "List mutations, refused requests and issued credentials, newest first",
    takes=(*PAGES, *FILTERS),
    answers={200: ListAuditResponseSchema},
    needs=SECURITY,
)
def list_events() -> Response:
    wanted = _requested_filter()
    page = requested_page("audit", *wanted)
    page = page._replace(size=min(page.size or PAGE, MOST_LISTED))
    found = list_audit(catalog().db, wanted, _place(page.after), page.limit or 0)
    rows, token = page.cut(list(found), lambda row: f"{row.at_us} {row.source} {row.id}")
    return json_answer({"events": list(map(_shown, rows)), "next-page-token": token})


def _requested_filter() -> AuditFilter:
    unknown = sorted(request.args.keys() - _KNOWN)
    if unknown:
        raise BadRequestException(f"Unknown parameter {unknown[0]!r}: expected {', '.join(sorted(_KNOWN))}")
    since, until = time_parameter("from"), time_parameter("to")
    if since is not None and until is not None and since >= until:
        raise BadRequestException(f"Invalid from {since}: must be before to, {until}")
    wanted = AuditFilter(
        actor=_text("actor"),
        event_type=_event_type(),
        outcome=_outcome(),
        warehouse=_text("warehouse"),
        namespace=_namespace(),
        name=_text("name"),
        address=_address(),
        request_id=_text("request-id"),
        from_us=None if since is None else since * 1000,
        to_us=None if until is None else until * 1000 - 1,
    )
    if wanted.namespace is not None and wanted.warehouse is None:
        raise BadRequestException("Invalid namespace: needs the warehouse it is in, as 'warehouse'")
    return wanted


def _text(name: str) -> str | None:
    text = text_parameter(name)
    if text == "":
        raise BadRequestException(f"Invalid {name} '': must not be empty")
    return text


def _event_type() -> str | None:
    text = _text("event-type")
    if text is not None and not _EVENT_TYPE.fullmatch(text):
        raise BadRequestException(f"Invalid event-type {text!r}: expected one such as table.dropped")
    return text


def _outcome() -> str | None:
    text = _text("outcome")
    if text is not None and text not in OUTCOMES:
        raise BadRequestException(f"Invalid outcome {text!r}: expected {' or '.join(OUTCOMES)}")
    return text


def _namespace() -> Namespace | None:
    text = _text("namespace")
    return None if text is None else split_namespace(text)


def _address() -> str | None:
    text = _text("address")
    if text is None:
        return None
    try:
        return str(ip_address(text))
    except ValueError as error:
        raise BadRequestException(f"Invalid address {text!r}: expected an IPv4 or IPv6 address") from error


def _place(after: str | None) -> Place | None:
    if after is None:
        return None
    found = _PLACE.fullmatch(after)
    if found is None or (found[2] == CHANGE and int(found[3]) >= 2**63):
        raise BadRequestException("Invalid pageToken: not a token of this server")
    return Place(int(found[1]), found[2] or found[4], found[3] or found[5])


def _shown(row: Row) -> dict[str, Any]:
    return {
        "event-id": f"{row.source}-{row.id}",
        "event-type": row.action,
        "at-ms": row.at_us // 1000,
        "outcome": row.outcome,
        "response-code": row.status,
        "actor": row.principal,
        "actor-id": row.principal_id,
        "actor-kind": row.principal_kind,
        "credential": row.credential,
        "address": row.address,
        "user-agent": row.user_agent,
        "request-id": row.request_id,
        "job-id": row.job_id,
        "operation": row.operation,
        "privilege": row.privilege,
        "object-kind": row.object_kind,
        "object-id": row.object_id,
        "warehouse-id": row.warehouse_id,
        "warehouse": row.warehouse,
        "namespace": row.namespace,
        "name": row.name,
        "previous-metadata-location": row.before_pointer,
        "metadata-location": row.after_pointer,
        "details": msgspec.Raw(row.details.encode()),
    }
