"""Listings: everything unless the client asks for pages; keyset tokens that survive concurrent changes."""

from collections.abc import Callable
from typing import NamedTuple, TypeVar

from flask import request

from app.api.context import catalog
from app.errors import BadRequestException
from app.identifiers import decode_page_token, encode_page_token

Item = TypeVar("Item")


class Page(NamedTuple):
    """``after`` is the last name of the page before; ``size`` None means everything."""

    scope: str
    after: str | None
    size: int | None

    @property
    def limit(self) -> int | None:
        """One more than fits, to see whether there is a next page."""
        return None if self.size is None else self.size + 1

    def after_id(self, default: int) -> int:
        """The last id of the page before, of a listing by id; ``default`` on the first page.

        :raises BadRequestException: when the token holds none
        """
        if self.after is None:
            return default
        if not (self.after.isascii() and self.after.isdigit()) or len(self.after) > 18:
            raise BadRequestException("Invalid pageToken: not a token of this server")
        return int(self.after)

    def cut(self, items: list[Item], name: Callable[[Item], str]) -> tuple[list[Item], str | None]:
        """Return the page's items and the token of the next page, None at the end of the list."""
        if self.size is None or len(items) <= self.size:
            return items, None
        page = items[: self.size]
        return page, encode_page_token(self.scope, name(page[-1]))


def requested_page(*listing: object) -> Page:
    """
    :param listing: what is listed; a token is only good for the listing it was made for
    :raises BadRequestException: when pageSize or pageToken is malformed
    """
    scope = "\x1f".join(map(str, listing))
    token, size = request.args.get("pageToken"), request.args.get("pageSize")
    return Page(scope, decode_page_token(token, scope) if token else None, _size(size))


def _size(text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit()) or int(text[:10]) < 1:
        raise BadRequestException(f"Invalid pageSize {text!r}: expected a whole number of at least 1")
    return min(int(text[:10]), catalog().settings.limits.max_page_size)
