"""The body of an S3 DeleteObjects request, read strictly: nothing that a second parser could read otherwise."""

import re
from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from app.storage.s3_addresses import refusal

MOST_KEYS = 1000
MOST_BYTES = 4 << 20
NAMESPACE = "{http://s3.amazonaws.com/doc/2006-03-01/}"
_DECLARATION = re.compile(r"""<\?xml version=(["'])1\.0\1(?: encoding=(["'])(?:UTF|utf)-8\2)?\s*\?>""")


def keys_of(body: str) -> list[str]:
    """Return the keys that a DeleteObjects body names.

    :raises ForbiddenException: when it is malformed, names versions, or has what no client sends: document types,
        entities, comments, processing instructions, CDATA, attributes, foreign elements
    """
    if len(body) > MOST_BYTES:
        raise refusal("body", f"it is longer than {MOST_BYTES} characters")
    rest = body[match.end() :] if (match := _DECLARATION.match(body)) else body
    if not rest.lstrip(" \t\r\n").startswith("<"):
        raise refusal("body", "it does not begin with an element")
    if "<!" in rest or "<?" in rest:
        raise refusal("body", "declarations, comments, CDATA and processing instructions are not signed")
    try:
        root = fromstring(body.encode(), forbid_dtd=True)
    except (ParseError, DefusedXmlException, UnicodeEncodeError, ValueError):
        raise refusal("body", "it is not well-formed XML") from None
    return list(_keys(root))


def _keys(root: Any) -> Iterator[str]:
    space = NAMESPACE if root.tag.startswith("{") else ""
    _check(root, f"{space}Delete")
    count = 0
    for child in root:
        if child.tag == f"{space}Quiet":
            _check(child, child.tag, is_text=True)
            continue
        _check(child, f"{space}Object")
        count += 1
        if [member.tag for member in child] != [f"{space}Key"]:
            raise refusal("body", "an Object has exactly a Key, no version and nothing else")
        _check(child[0], child[0].tag, is_text=True)
        yield child[0].text or ""
    if not 1 <= count <= MOST_KEYS:
        raise refusal("body", f"it names {count} objects instead of 1 to {MOST_KEYS}")


def _check(element: Any, tag: str, *, is_text: bool = False) -> None:
    if element.tag != tag or element.attrib or (is_text and len(element)):
        raise refusal("body", f"the element {str(element.tag)[:80]!r} is not signed here")
    texts = [child.tail for child in element] + ([] if is_text else [element.text])
    if any(text and text.strip() for text in texts):
        raise refusal("body", "it has text between its elements")
