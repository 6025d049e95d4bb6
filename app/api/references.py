"""The ``referenced-by`` parameter: the chain of views through which a table or view is loaded.

View names are separated by commas, and a comma inside a name is encoded; therefore it is read from the raw query.
Clients whose HTTP library encodes the value as a whole send the separators encoded too. Source: the
specification's ``referenced-by`` and ``parent`` parameters.
"""

from urllib.parse import unquote_to_bytes

from flask import request

from app.api.names import name_of, namespace_of
from app.errors import BadRequestException
from app.identifiers import NAMESPACE_SEPARATOR, TableIdentifier

PARAMETER = "referenced-by"


def referenced_by() -> tuple[TableIdentifier, ...]:
    """Return the views, outermost first; nothing when the parameter is absent or empty.

    :raises BadRequestException: naming the item and the rule
    """
    chain = split_chain(request.query_string.decode("latin-1"))
    return tuple(_view(levels, f"{PARAMETER}[{i}]") for i, levels in enumerate(chain))


def split_chain(query: str) -> list[list[str]]:
    """Return the levels of each view that a raw query string names.

    :raises BadRequestException: when a name is not UTF-8
    """
    pairs = (pair.partition("=") for pair in query.split("&"))
    raw = ",".join(value for name, _, value in pairs if name == PARAMETER and value)
    if not raw:
        return []
    items = [_levels(_decode(item)) for item in raw.split(",")]
    if len(items) == 1 and "," in _decode(raw):
        encoded_whole = [_levels(_decode(item)) for item in _decode(raw).split(",")]
        return encoded_whole if all(len(levels) > 1 for levels in encoded_whole) else items
    return items


def _levels(text: str) -> list[str]:
    if NAMESPACE_SEPARATOR in text:
        return text.split(NAMESPACE_SEPARATOR)
    return [_decode(level) for level in text.replace("%1f", "%1F").split("%1F")]


def _decode(raw: str) -> str:
    try:
        return unquote_to_bytes(raw.replace("+", " ")).decode()
    except UnicodeDecodeError as error:
        raise BadRequestException(f"Invalid {PARAMETER}: not UTF-8 ({error.reason})") from error


def _view(levels: list[str], field: str) -> TableIdentifier:
    if len(levels) < 2:
        raise BadRequestException(
            f"Invalid {field} {levels[0]!r}: expected the levels of a namespace and the name of a view,"
            " separated by %1F"
        )
    return TableIdentifier(
        namespace_of(levels[:-1], f"{field}.namespace"), name_of(levels[-1], f"{field}.name")
    )
