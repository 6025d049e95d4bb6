"""Query parameters."""

from flask import request

from app.errors import BadRequestException

_LAST_MS = 253_402_300_799_000


def text_parameter(name: str) -> str | None:
    """
    :raises BadRequestException: when it holds U+0000, which nothing that is stored can
    """
    text = request.args.get(name)
    if text is not None and "\0" in text:
        raise BadRequestException(f"Invalid {name} {text!r}: must not contain U+0000")
    return text


def boolean_parameter(name: str) -> bool:
    """``true`` or ``false`` in any case, as Python clients send ``True``; false when absent.

    :raises BadRequestException: when it is anything else
    """
    text = request.args.get(name, "false")
    if text.lower() not in {"true", "false"}:
        raise BadRequestException(f"Invalid {name} {text!r}: expected true or false")
    return text.lower() == "true"


def time_parameter(name: str) -> int | None:
    """Milliseconds since the epoch, up to the year 9999.

    :raises BadRequestException: when it is no whole number, or later
    """
    text = request.args.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit()) or len(text) > len(str(_LAST_MS)) or int(text) > _LAST_MS:
        raise BadRequestException(f"Invalid {name} {text!r}: expected milliseconds since the epoch")
    return int(text)


def optional_boolean_parameter(name: str) -> bool | None:
    """As :func:`boolean_parameter`; None when absent."""
    return boolean_parameter(name) if name in request.args else None


def choice_parameter(name: str, choices: tuple[str, ...]) -> str:
    """One of ``choices``; the first when absent.

    :raises BadRequestException: when it is anything else
    """
    text = request.args.get(name, choices[0])
    if text not in choices:
        raise BadRequestException(f"Invalid {name} {text!r}: expected {' or '.join(choices)}")
    return text
