"""What a client asks first: which routes there are and how to reach the storage."""

from urllib.parse import quote

from flask import request

from app.api.answers import Response, json_answer
from app.api.authentication import authenticate
from app.api.authorization import enter
from app.api.context import catalog, services
from app.api.declarations import WAREHOUSE, declare
from app.api.needs import SOMEBODY
from app.api.operations import Operations, keep_answer
from app.api.parameters import text_parameter
from app.catalog.context import Warehouse
from app.catalog.warehouse_profiles import client_properties
from app.catalog.warehouses import active
from app.errors import ForbiddenException, NoSuchWarehouseException
from app.identifiers import NAMESPACE_SEPARATOR


def mount_config(resources: list[Operations]) -> Operations:
    """Return ``getConfig``, which announces exactly what the resources have mounted."""
    endpoints = [endpoint for resource in resources for endpoint in resource.endpoints]
    config = Operations("config", has_prefix=False)

    def get_config() -> Response:
        request.environ["bingsan.route"] = "/v1/config"
        keep_answer()
        authenticate()
        text = text_parameter("warehouse")
        warehouse = None
        if text:
            warehouse = services().warehouses.find(text)
            enter(warehouse, text)
            active(warehouse)
        return json_answer(
            {
                "defaults": client_properties(catalog(), warehouse),
                "overrides": _overrides(warehouse),
                "endpoints": endpoints,
                "idempotency-key-lifetime": iso_duration(catalog().settings.catalog.idempotency_key_lifetime),
            }
        )

    config.declarations["GET /v1/config"] = declare(
        "Tell a client which operations there are and how to reach the storage",
        "get_config",
        takes=[WAREHOUSE],
        answers={200: "CatalogConfig"},
        fails=[NoSuchWarehouseException, ForbiddenException],
        needs=SOMEBODY._replace(
            text="to be authenticated, and with `warehouse` any privilege on it or on something in it"
        ),
    )
    config.blueprint.add_url_rule(
        "/config", "get_config", get_config, methods=["GET"], provide_automatic_options=False
    )
    return config


def iso_duration(seconds: float) -> str:
    """ISO 8601, as Java reads it: ``PT1800S``."""
    return f"PT{int(seconds)}S"


def _overrides(warehouse: Warehouse | None) -> dict[str, str]:
    """What no client may have otherwise; the separator travels percent-encoded."""
    prefix = {} if warehouse is None else {"prefix": warehouse.prefix}
    return {**prefix, "namespace-separator": quote(NAMESPACE_SEPARATOR)}
