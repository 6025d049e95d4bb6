"""Names that arrive in JSON bodies, checked against the limits."""

from typing import Any

from app.api.context import catalog
from app.identifiers import Namespace, TableIdentifier, check_name, check_namespace


def namespace_of(levels: Any, field: str = "namespace") -> Namespace:
    """
    :raises BadRequestException: naming the field and the rule
    """
    limits = catalog().settings.limits
    return check_namespace(levels, field, limits.max_identifier_length, limits.max_namespace_depth)


def name_of(name: Any, field: str = "name") -> str:
    """
    :raises BadRequestException: naming the field and the rule
    """
    return check_name(name, field, catalog().settings.limits.max_identifier_length)


def identifier_of(member: dict[str, Any], field: str) -> TableIdentifier:
    """
    :raises BadRequestException: naming the field and the rule
    """
    return TableIdentifier(
        namespace_of(member["namespace"], f"{field}.namespace"), name_of(member["name"], f"{field}.name")
    )
