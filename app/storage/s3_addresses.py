"""Which bucket and object the URI of an S3 request names.

Pure and narrow: what two parsers could read in two ways is refused, and :meth:`Address.uri` writes the URI anew from
what was understood, so that the store reads what was checked.
"""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple
from urllib.parse import quote, unquote, unquote_to_bytes

from app.errors import ForbiddenException
from app.storage.endpoints import parse_endpoint

_URI = re.compile(r"(https?)://([^/?#@\\]+)(/[^?#]*)(?:\?([^#]*))?")
_ASCII = re.compile(r"[!-~]+")
_PATH = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*")
_QUERY_VALUE = re.compile(r"(?:[A-Za-z0-9._~!$'()*,:@/?=-]|%[0-9A-Fa-f]{2})*")
_QUERY_NAME = re.compile(r"[A-Za-z][A-Za-z-]*")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_CONTROL_CHARACTERS = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_MOST_KEY_BYTES = 1024
_DOTS = frozenset({".", ".."})
_SAFE = "-._~"


class Store(NamedTuple):
    """Where the objects are; ``endpoint`` is empty for AWS, ``path_style`` tells that it knows no other addresses.

    ``is_bounded`` tells that a signature cannot be turned to other objects: AWS compares bodies and all ``x-amz-*``
    headers with what was signed, elsewhere the keys must reach no further than the table.
    """

    endpoint: str
    region: str
    path_style: bool
    is_bounded: bool

    def origins(self) -> tuple[str, tuple[str, ...]]:
        """Return the scheme, and every ``host[:port]`` of the store without a bucket."""
        if self.endpoint:
            scheme, host, port = parse_endpoint(self.endpoint)
            name = f"[{host}]" if ":" in host else host
            return scheme, (name if port == {"http": 80, "https": 443}[scheme] else f"{name}:{port}",)
        suffix = "amazonaws.com.cn" if self.region.startswith("cn-") else "amazonaws.com"
        hosts = [
            f"s3.{self.region}.{suffix}",
            f"s3.dualstack.{self.region}.{suffix}",
            f"s3-{self.region}.{suffix}",
        ]
        return "https", (*hosts, *(["s3.amazonaws.com"] if self.region == "us-east-1" else []))


class Address(NamedTuple):
    """An object, or with an empty ``key`` its bucket. ``host`` has the port, where it is not the scheme's own."""

    scheme: str
    host: str
    is_path_style: bool
    bucket: str
    key: str
    query: Mapping[str, str]

    def uri(self) -> str:
        """The URI in the one spelling that signatures are made of."""
        parts = [self.bucket, self.key] if self.is_path_style else [self.key]
        path = "/".join(quote(part, safe=f"{_SAFE}/") for part in parts if part)
        pairs = [f"{name}={quote(value, safe=_SAFE)}" for name, value in sorted(self.query.items())]
        return f"{self.scheme}://{self.host}/{path}" + (f"?{'&'.join(pairs)}" if pairs else "")


def is_aws(endpoint: str) -> bool:
    """Whether an endpoint, which is empty for AWS, is one of AWS."""
    return not endpoint or parse_endpoint(endpoint).host.endswith((".amazonaws.com", ".amazonaws.com.cn"))


def refusal(field: str, rule: str) -> ForbiddenException:
    """What is raised for a request that must not be signed."""
    return ForbiddenException(f"Refused to sign the request: {field}: {rule}")


def parse_address(uri: str, store: Store) -> Address:
    """
    :raises ForbiddenException: when it is not the store's, or could be read in more than one way
    """
    match = _URI.fullmatch(uri) if _ASCII.fullmatch(uri) else None
    if match is None:
        raise refusal(
            "uri", "expected https://host/path?query in ASCII, without user, backslash and fragment"
        )
    scheme, host, path, query = match.groups()
    bucket = _bucket_of_host(scheme, host, store)
    key = _decoded("uri", path[1:], _PATH)
    if bucket is None:
        bucket, _, key = key.partition("/")
        if not _BUCKET.fullmatch(bucket):
            raise refusal("uri", f"{bucket[:80]!r} is no bucket name")
        is_path_style = True
    else:
        is_path_style = False
    if key:
        check_key("uri", key)
    return Address(scheme, host, is_path_style, bucket, key, _query(query or ""))


def check_key(field: str, key: str) -> None:
    """
    :raises ForbiddenException: when a store or file system could take the key for another one
    """
    if not key or len(key.encode()) > _MOST_KEY_BYTES:
        raise refusal(field, f"a key has 1 to {_MOST_KEY_BYTES} bytes")
    if _CONTROL_CHARACTERS.search(key) or "\\" in key:
        raise refusal(field, "control characters and backslashes are not signed")
    if any(not _DOTS.isdisjoint(text.split("/")) for text in _readings(key)):
        raise refusal(field, "'.' and '..' segments are not signed, however often percent-encoded")
    if key[0] == "/" or key[-1] == "/" or "//" in key:
        raise refusal(field, "empty segments ('//', or '/' at an end) are not signed")


def _readings(key: str) -> Iterator[str]:
    """Yield the key, and what it would be if somebody decoded it again."""
    while "%" in key and (decoded := unquote(key)) != key:
        yield key
        key = decoded
    yield key


def decoded_once(field: str, text: str) -> str:
    """
    :raises ForbiddenException: when it is not percent-encoded UTF-8
    """
    return _decoded(field, text, _PATH)


def _bucket_of_host(scheme: str, host: str, store: Store) -> str | None:
    """Return the bucket that the host names; None when the path has it."""
    own_scheme, hosts = store.origins()
    if scheme == own_scheme:
        if host in hosts:
            return None
        # A store without such addresses would take the first segment of the path for the bucket.
        if not store.path_style:
            for own in filter(_is_name, hosts):
                bucket, dot, rest = host.partition(f".{own}")
                if dot and not rest and _BUCKET.fullmatch(bucket):
                    return bucket
    raise refusal("uri", f"{scheme}://{host[:200]} is not the storage of the warehouse")


def _is_name(host: str) -> bool:
    """Whether it is no address in numbers, before which no bucket can stand."""
    return host.partition(":")[0].rpartition(".")[2][:1].isalpha()


def _query(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for pair in text.split("&") if text else []:
        name, _, value = pair.partition("=")
        if not _QUERY_NAME.fullmatch(name):
            raise refusal("uri", f"{name[:80]!r} is no query parameter that is signed")
        if name in found:
            raise refusal("uri", f"the query parameter {name!r} is given twice")
        found[name] = _decoded("uri", value, _QUERY_VALUE)
    return found


def _decoded(field: str, text: str, form: re.Pattern[str]) -> str:
    if not form.fullmatch(text):
        raise refusal(field, "it is not percent-encoded as URIs are")
    try:
        return unquote_to_bytes(text).decode()
    except UnicodeDecodeError:
        raise refusal(field, "it is not UTF-8") from None
