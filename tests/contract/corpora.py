"""Strategies: bytes that clients should not send, and some that look nearly right."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable
from random import Random
from typing import Any
from uuid import UUID

from hypothesis import strategies as st

from tests.support.garbage import spoiled

FORBIDDEN_IN_LINES = b"\r\n\0"
# Percent sequences: separators, dots, overlong and truncated UTF-8, surrogates, beyond Unicode, no hex, NUL
PERCENT = [
    *(b"%2F", b"%2f", b"%5C", b"%1F", b"%1f", b"%00", b"%20", b"%2B", b"%25", b"%252F", b"%2E", b"%2E%2E"),
    *(b"%", b"%%", b"%2", b"%G0", b"%zz", b"%u0041", b"% 1", b"%-1", b"%+1"),
    *(b"%C0%AF", b"%C0%80", b"%E0%80%AF", b"%F0%80%80%AF", b"%ED%A0%80", b"%ED%B0%80", b"%F4%90%80%80"),
    *(b"%FF", b"%FE%FF", b"%C3", b"%E2%82", b"%C3%BC", b"%F0%9F%A6%86", b"%EF%BB%BF", b"%7F", b"%0D%0A"),
]
PIECES = [
    *PERCENT,
    *(
        b"a",
        b"fuzz",
        b"t",
        b"v",
        b"+",
        b".",
        b"..",
        b";",
        b"=",
        b"&",
        b"?",
        b"#",
        b"@",
        b":",
        b"//",
        b"/",
        b"\\",
    ),
    *(b"~", b"*", b"{}", b"<x>", b"|", b'"', b"'", b"$", b"!", b"x" * 300, b"%F0%9F%A6%86" * 100),
    *("ü", "🦆", "\u202e"),
]
pieces = st.sampled_from([piece.encode() if isinstance(piece, str) else piece for piece in PIECES])
raw_bytes = st.binary(min_size=1, max_size=6).map(
    lambda data: bytes(byte for byte in data if byte not in FORBIDDEN_IN_LINES + b" \t\x0b\x0c")
)
segments = st.lists(st.one_of(pieces, pieces, raw_bytes), max_size=5).map(b"".join)
header_values = st.one_of(
    st.binary(max_size=60).map(lambda data: bytes(byte for byte in data if byte not in FORBIDDEN_IN_LINES)),
    st.text(max_size=30).map(
        lambda text: text.encode("utf-8", "replace").translate(None, FORBIDDEN_IN_LINES)
    ),
    st.sampled_from(
        [b"", b" ", b",", b", ,", b"*", b'"', b'W/""', b"a" * 5000, b"%00", b"\xff\xfe", b"\x7f", b"\t"]
    ),
)


@st.composite
def nearly_uuids(draw: st.DrawFn) -> bytes:
    """Idempotency keys: right ones, and right ones with a fault."""
    text = str(UUID(int=draw(st.integers(0, 2**128 - 1)))).encode()
    shapes: list[Callable[[bytes], bytes]] = [
        bytes,
        bytes.upper,
        lambda key: b"{" + key + b"}",
        lambda key: b"urn:uuid:" + key,
        lambda key: key.replace(b"-", b""),
        lambda key: key[:-1],
        lambda key: key + b", " + key,
        lambda key: b'"' + key + b'"',
        lambda key: b"  " + key + b"  ",
        lambda key: key.replace(b"-", "\u2010".encode()),
        lambda key: key.translate(bytes.maketrans(b"0123456789", b"OI23456789")),
    ]
    return draw(st.sampled_from(shapes))(text)


@st.composite
def nearly_etags(draw: st.DrawFn, known: bytes) -> bytes:
    """If-None-Match: the known tag among others, quoted or not, weak, repeated, unfinished."""
    tag = st.one_of(
        st.sampled_from([known, known.strip(b'"'), b"W/" + known, b"w/" + known, known[:-1], b"*", b'""']),
        header_values,
    )
    return draw(st.lists(tag, max_size=4).map(b", ".join))


@st.composite
def nearly_tokens(draw: st.DrawFn, known: str) -> bytes:
    """Page tokens: a right one, cut, changed, in another alphabet; and base64 of anything."""
    random = Random(draw(st.integers(0, 2**32)))
    changed = bytearray(known.encode())
    changed[random.randrange(len(changed))] = random.choice(b"AZaz09-_+/=%.")
    forged = draw(st.binary(max_size=20))
    choices = [
        known.encode(),
        known.encode()[: random.randrange(len(known))],
        bytes(changed),
        known.encode() * 2,
        known.encode() + b"====",
        urlsafe_b64encode(forged).rstrip(b"="),
        urlsafe_b64encode(b"namespaces\x1f1\x1f\0" + forged).rstrip(b"="),
    ]
    return draw(st.one_of(st.sampled_from(choices), segments))


NUMBERS = ["1e400", "-1e400", "9" * 400, "-0", "1E+99999999", "0.1e-500", "1.0", "18446744073709551616", "-1"]
LITERALS = ["NaN", "Infinity", "-Infinity", "nul", "TRUE", "undefined", "0x10", "01", "+1", ".5", "1.", "'a'"]
STRINGS = [
    r'"\ud800"',
    r'"\udc00\ud800"',
    r'"\u0000"',
    '"\x01"',
    r'"\x"',
    r'"\u12"',
    '"\ufeff"',
    '"' + "a" * 70000 + '"',
]
NESTED = [opening * depth for opening in ("[", '{"a":') for depth in (50, 500, 5000, 100_000)]
NESTED += ["[" * depth + "]" * depth for depth in (50, 500, 900, 2000)]


def as_text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def with_foreign_value(random: Random, value: Any, foreign: str) -> bytes:
    """Put JSON text that may not be JSON in the place of some member."""
    marker = "\ue000marker\ue000"
    copy = json.loads(json.dumps(value))
    owner, key = random.choice(list(_places(copy)))
    owner[key] = marker
    return as_text(copy).replace(f'"{marker}"', foreign).encode("utf-8", "surrogatepass")


def with_duplicate(random: Random, value: Any) -> bytes:
    """Name some member of the outermost object twice, the second time with something else."""
    text, other = as_text(value), as_text(spoiled(random, value))
    if len(text) < 3 or len(other) < 3:
        return text.encode()
    first, second = (text, other) if random.random() < 0.5 else (other, text)
    return (first[:-1] + ", " + second[1:]).encode("utf-8", "surrogatepass")


def _places(value: Any) -> Any:
    items = list(value.items()) if isinstance(value, dict) else list(enumerate(value))
    for key, item in items:
        yield value, key
        if isinstance(item, dict | list):
            yield from _places(item)


@st.composite
def bodies(draw: st.DrawFn, value: Any) -> bytes:
    """Request bodies made of a right one, in every way that went wrong with some client."""
    random = Random(draw(st.integers(0, 2**32)))
    way = draw(st.integers(0, 11))
    text = as_text(value).encode()
    if way < 4:
        return as_text(spoiled(random, value)).encode("utf-8", "surrogatepass")
    if way == 4:
        return with_foreign_value(random, value, random.choice(NUMBERS))
    if way == 5:
        return with_foreign_value(random, value, random.choice(LITERALS))
    if way == 6:
        return with_foreign_value(random, value, random.choice(STRINGS))
    if way == 7:
        return with_foreign_value(random, value, random.choice(NESTED))
    if way == 8:
        return with_duplicate(random, value)
    if way == 9:
        return text[: random.randrange(len(text) + 1)]
    if way == 10:
        encoding = random.choice(["utf-16", "utf-16-le", "utf-32", "utf-8-sig", "utf-7", "cp037"])
        return as_text(value).encode(encoding)
    place = random.randrange(len(text) + 1)
    return text[:place] + draw(st.binary(min_size=1, max_size=4)) + text[place + random.choice((0, 1, 4)) :]
