"""What a view function needs to know about the process and about the request at hand."""

import time
from dataclasses import dataclass
from typing import cast

from flask import current_app, g, request

from app.api.authentication import principal
from app.api.delegation import requested_delegation
from app.api.idempotency import idempotency_key
from app.catalog.context import Caller, Catalog, Warehouse
from app.catalog.metric_reports import ReportBuffer
from app.catalog.warehouses import Warehouses
from app.db.probe import Probe

EXTENSION = "bingsan"


@dataclass(frozen=True, slots=True)
class Services:
    """What ``create_app`` wired for this process."""

    catalog: Catalog
    warehouses: Warehouses
    probe: Probe
    reports: ReportBuffer


def services() -> Services:
    return cast(Services, current_app.extensions[EXTENSION])


def catalog() -> Catalog:
    return services().catalog


def warehouse() -> Warehouse:
    """The warehouse that the request's path names."""
    return cast(Warehouse, g.warehouse)


def caller() -> Caller:
    """Who asks for a change, until when, and under which idempotency key. Call it once the body is read."""
    return Caller(
        principal().name,
        request_id(),
        time.monotonic() + catalog().settings.server.request_timeout,
        request.content_length or 0,
        idempotency_key(),
        requested_delegation(),
        principal().id,
    )


def request_id() -> str:
    return str(request.environ["bingsan.request_id"])
