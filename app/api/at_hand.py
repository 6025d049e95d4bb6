"""What is kept of the request at hand while it is answered: Flask's ``g``, with names and types.

Each attribute that is read through one of Flask's proxies is looked up in the context anew, which costs ten times as
much as reading it. Functions that every request runs take the object once.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast

from flask import Request, g

if TYPE_CHECKING:
    from app.api.context import Services
    from app.auth.access import Access
    from app.auth.sessions import Session
    from app.catalog.context import Warehouse


class AtHand:
    """``services`` and ``request`` are there from the start; the rest as the request gets there.

    ``names`` is what the path names; ``is_last_reading`` tells whether there is no other way to read them. ``body`` is
    the request's JSON. ``body_key`` tells the answer's body from others, ``holds_secrets`` that it must not be
    compressed.
    """

    services: "Services"
    request: Request
    session: "Session | None" = None
    security_version: int = 0
    access: "Access | None" = None
    warehouse: "Warehouse"
    names: Mapping[str, Any] = MappingProxyType({})
    is_last_reading: bool = True
    body: Any = None
    body_key: tuple[str, bytes] | None = None
    holds_secrets: bool = False
    is_admitted: bool = False


at_hand = cast(Callable[[], AtHand], g._get_current_object)
"""What is kept of the request at hand."""
