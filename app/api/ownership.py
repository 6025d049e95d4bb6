"""What a principal may see and end because it is its own."""

from app.api.authentication import principal
from app.api.authorization import authorize
from app.api.needs import SECURITY
from app.errors import ForbiddenException


def whose() -> int | None:
    """Return the caller's own id, None for one who administers the server and may have everybody's."""
    try:
        authorize(SECURITY, {})
    except ForbiddenException:
        return principal().id
    return None
