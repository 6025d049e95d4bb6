"""How operations follow from each other: what a created object is called in the paths of others."""

from app.api.document.notation import JsonObject

_PREFIX = {"prefix": "$request.path.prefix"}
_NAMESPACE = {**_PREFIX, "namespace": "$request.path.namespace"}
_TABLE = {**_NAMESPACE, "table": "$request.body#/name"}
_VIEW = {**_NAMESPACE, "view": "$request.body#/name"}
_CREATED_NAMESPACE = {**_PREFIX, "namespace": "$response.body#/namespace/0"}

_FOLLOWING: dict[str, tuple[dict[str, str], tuple[str, ...]]] = {
    "create_namespace": (
        _CREATED_NAMESPACE,
        (
            "load_namespace",
            "namespace_exists",
            "update_properties",
            "drop_namespace",
            "list_tables",
            "create_table",
            "register_table",
            "list_views",
            "create_view",
            "register_view",
        ),
    ),
    "create_table": (
        _TABLE,
        (
            "load_table",
            "table_exists",
            "update_table",
            "drop_table",
            "unregister_table",
            "load_credentials",
            "sign_request",
            "report_metrics",
            "plan_table_scan",
        ),
    ),
    "create_view": (_VIEW, ("load_view", "view_exists", "replace_view", "drop_view")),
}


def links_of(name: str, camel: dict[str, str]) -> JsonObject:
    """Return the links of an operation's success.

    :param camel: operation ids by name, for those that there are
    """
    parameters, names = _FOLLOWING.get(name, ({}, ()))
    return {
        camel[other]: {"operationId": camel[other], "parameters": parameters}
        for other in names
        if other in camel
    }
