"""Limits on what a client may store, checked before anything is stored."""

from collections.abc import Mapping

from app.config import LimitsSettings
from app.errors import BadRequestException


def check_properties(
    properties: Mapping[str, str], limits: LimitsSettings, field: str = "properties"
) -> None:
    """
    :raises BadRequestException: naming the key, its length and the setting
    """
    if len(properties) > limits.max_property_count:
        raise BadRequestException(
            f"Invalid {field}: {len(properties)} properties exceed limits.max_property_count "
            f"({limits.max_property_count})"
        )
    for key, value in properties.items():
        if not key:
            raise BadRequestException(f"Invalid {field}: a property key must not be empty")
        if len(key) > limits.max_property_key_length:
            raise BadRequestException(
                f"Invalid {field}: the key {key[:40]!r}… has {len(key)} characters and exceeds "
                f"limits.max_property_key_length ({limits.max_property_key_length})"
            )
        if len(value) > limits.max_property_value_length:
            raise BadRequestException(
                f"Invalid {field}: the value of {key!r} has {len(value)} characters and exceeds "
                f"limits.max_property_value_length ({limits.max_property_value_length})"
            )
