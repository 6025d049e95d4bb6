"""How long credentials hold, as people write it."""

import re

from app.errors import BadRequestException

_SECONDS = {"h": 3600, "d": 86_400, "w": 7 * 86_400, "m": 30 * 86_400, "y": 365 * 86_400}
_LIFETIME = re.compile(r"([0-9]{1,6})([hdwmy])")
LONGEST = 10 * _SECONDS["y"]


def read_lifetime(text: str, field: str, *, least: int = 1) -> float:
    """Return the seconds of ``12h``, ``30d``, ``2w``, ``6m`` (of 30 days) or ``1y`` (of 365).

    :raises BadRequestException: when it is nothing of the kind, shorter than ``least`` units or longer than ten years
    """
    match = _LIFETIME.fullmatch(text)
    if match is None:
        raise BadRequestException(
            f"Invalid {field} {text[:40]!r}: expected a whole number and h, d, w, m or y, such as 30d"
        )
    seconds = int(match[1]) * _SECONDS[match[2]]
    if int(match[1]) < least or seconds > LONGEST:
        raise BadRequestException(f"Invalid {field} {text!r}: expected {least}h to 10y")
    return float(seconds)
