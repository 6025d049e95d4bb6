"""Query parameters."""

from flask import request

from app.errors import BadRequestException


def boolean_parameter(name: str) -> bool:
    """``true`` or ``false`` in any case, as Python clients send ``True``; false when absent.

    :raises BadRequestException: when it is anything else
    """
    text = request.args.get(name, "false")
    if text.lower() not in {"true", "false"}:
        raise BadRequestException(f"Invalid {name} {text!r}: expected true or false")
    return text.lower() == "true"
