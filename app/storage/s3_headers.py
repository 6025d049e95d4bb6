"""Which headers of an S3 request are signed with it, and which are refused.

Others than ``x-amz-*`` and ``host`` are not signed: clients cache signatures, and a client may send them anyway. Those
that change what a request does must be in the list below, so that none slips in which nobody has thought about.
"""

import re
from collections.abc import Mapping, Sequence

from app.storage.locations import Location
from app.storage.s3_addresses import Address, decoded_once, refusal
from app.storage.s3_operations import Operation, check_inside

UNSIGNED = "UNSIGNED-PAYLOAD"
# The body comes in chunks with a checksum behind it; nothing in it is signed.
UNSIGNED_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
_HASH = re.compile(r"[0-9a-f]{64}")
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,256}")
_VALUE = re.compile(r"[\t -~\x80-\uffff]{0,8192}")
_CHECKSUMS = tuple(f"x-amz-checksum-{name}" for name in ("crc32", "crc32c", "crc64nvme", "sha1", "sha256"))
_ALWAYS = frozenset(
    {
        *_CHECKSUMS,
        "x-amz-checksum-algorithm",
        "x-amz-checksum-mode",
        "x-amz-checksum-type",
        "x-amz-content-sha256",
        "x-amz-expected-bucket-owner",
        "x-amz-sdk-checksum-algorithm",
        "x-amz-te",
        "x-amz-user-agent",
    }
)
_WITH_BODY = frozenset({"x-amz-decoded-content-length", "x-amz-mp-object-size", "x-amz-trailer"})
_NEW_OBJECT = frozenset({"x-amz-storage-class"})
_COPY = "x-amz-copy-source"
_COPIES = re.compile(r"x-amz-copy-source(-range|-if-[a-z-]+)?|x-amz-metadata-directive")
# MinIO takes some of these for orders, like unpacking an archive into other keys.
_META = re.compile(r"x-amz-meta-(?!snowball|minio|x-)[a-z0-9!#$&'*+.^_`|~-]+")
_LONELY = frozenset({"host", "content-md5", "content-encoding", "authorization"})


def flattened(headers: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return the headers by lower-case name.

    :raises ForbiddenException: when a name comes twice, is no name, or what is signed has several values
    """
    found: dict[str, str] = {}
    for name, values in headers.items():
        lower = name.lower()
        field = f"headers.{lower[:80]}"
        if not _NAME.fullmatch(name) or lower in found:
            raise refusal(field, "no name of a header, or given twice")
        if not all(_VALUE.fullmatch(value) for value in values):
            raise refusal(field, "control characters are not allowed")
        if len(values) != 1 and (lower in _LONELY or lower.startswith("x-")):
            raise refusal(field, "expected one value")
        found[lower] = ",".join(values)
    return found


def signed_headers(
    headers: Mapping[str, str], operation: Operation, address: Address, location: Location
) -> dict[str, str]:
    """Return ``host`` and the ``x-amz-*`` headers, which are signed as the client sends them.

    :param headers: by lower-case name
    :raises ForbiddenException: when one must not be signed
    """
    if headers.get("host", address.host) != address.host:
        raise refusal("headers.host", "it is not the host of the uri")
    for name in headers:
        if name == "authorization" or (name.startswith("x-") and not _is_allowed(name, operation)):
            raise refusal(f"headers.{name[:80]}", f"it is not signed with {operation.name}")
    if _COPY in headers:
        _check_copy(headers[_COPY], location)
    elif any(_COPIES.fullmatch(name) for name in headers):
        raise refusal("headers", f"they speak of a copy without {_COPY}")
    _check_payload(headers)
    return {"host": address.host} | {
        name: value for name, value in headers.items() if name.startswith("x-amz-")
    }


def _is_allowed(name: str, operation: Operation) -> bool:
    if name in _ALWAYS or name == "x-amzn-trace-id":
        return True
    if operation.method in {"PUT", "POST"} and name in _WITH_BODY:
        return True
    if operation.name in {"PutObject", "UploadPart"} and _COPIES.fullmatch(name):
        return True
    is_new = operation.name in {"PutObject", "CreateMultipartUpload"}
    return is_new and (name in _NEW_OBJECT or bool(_META.fullmatch(name)))


def _check_copy(source: str, location: Location) -> None:
    field = f"headers.{_COPY}"
    bucket, _, key = decoded_once(field, source.removeprefix("/")).partition("/")
    check_inside(field, bucket, key, location)


def _check_payload(headers: Mapping[str, str]) -> None:
    field = "headers.x-amz-content-sha256"
    given = headers.get("x-amz-content-sha256", UNSIGNED)
    if given == UNSIGNED_TRAILER and "x-amz-trailer" not in headers:
        raise refusal(field, f"{UNSIGNED_TRAILER} goes with x-amz-trailer")
    if given not in {UNSIGNED, UNSIGNED_TRAILER} and not _HASH.fullmatch(given):
        raise refusal(field, "payloads are not signed in chunks")
    if headers.get("x-amz-trailer", _CHECKSUMS[0]).lower() not in _CHECKSUMS:
        raise refusal("headers.x-amz-trailer", "only a checksum may trail")
