"""Whether the one who makes the request at hand may do what it asks for."""

from typing import Any, NamedTuple

from app.auth.privileges import Privilege


class Need(NamedTuple):
    """What a route asks for before its view function runs: a privilege (None: to see it) on what its path names.

    ``on`` is ``server``, ``warehouse``, ``namespace``, ``table``, ``view``, or empty when being somebody is enough or
    the view function asks by itself.
    """

    privilege: Privilege | None
    on: str


def authorize(need: Need | None, names: dict[str, Any]) -> None:
    """
    :param names: the decoded path: ``namespace``, ``table``, ``view``, ``function``
    :raises ServiceError: the 404 of a missing object when it may not be seen
    :raises ForbiddenException: when it may be seen, but not that
    """
