"""Which S3 requests may be signed for a table, and what of them the signature covers. No I/O, no keys."""

import base64
import hashlib
import zlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from app.storage.delete_bodies import keys_of
from app.storage.locations import Location
from app.storage.s3_addresses import Address, Store, check_key, parse_address, refusal
from app.storage.s3_headers import UNSIGNED, UNSIGNED_TRAILER, flattened, signed_headers
from app.storage.s3_operations import Operation, check_inside, check_listing, operation_of


class Asked(NamedTuple):
    """An S3 request as a client means to send it; ``body`` only with DeleteObjects."""

    method: str
    uri: str
    region: str
    headers: Mapping[str, Sequence[str]]
    body: str | None = None


class Approved(NamedTuple):
    """What may be signed.

    ``headers`` are those that the signature covers, by lower-case name, ``added`` the ones among them that the client
    has not got yet; ``payload`` is the value of ``x-amz-content-sha256``, which is covered as well.
    """

    operation: Operation
    uri: str
    region: str
    headers: dict[str, str]
    added: frozenset[str]
    payload: str


def approve(asked: Asked, store: Store, location: Location) -> Approved:
    """Check that a request does nothing but a common operation on objects below a location.

    :raises ForbiddenException: otherwise, naming the member of the request and the rule
    """
    if asked.region != store.region:
        raise refusal("region", f"the storage is in {store.region}")
    address = parse_address(asked.uri, store)
    operation = operation_of(asked.method, address)
    headers = flattened(asked.headers)
    signed = signed_headers(headers, operation, address, location)
    payload = headers.get("x-amz-content-sha256") or (
        UNSIGNED_TRAILER if "x-amz-trailer" in headers else UNSIGNED
    )
    if operation.name == "DeleteObjects":
        if not store.is_bounded:
            raise refusal(
                "method", "DeleteObjects is not signed where a store may take another body for the signed one"
            )
        hashes = _check_deletion(asked.body, headers, address, location)
        payload = hashes["x-amz-content-sha256"]
        signed["content-md5"] = hashes["content-md5"]
    elif asked.body is not None:
        raise refusal("body", f"it goes with DeleteObjects, not with {operation.name}")
    elif operation.of_bucket:
        check_listing(address, location)
    else:
        check_inside("uri", address.bucket, address.key, location)
    added = signed.keys() - headers.keys() - {"host"}
    return Approved(operation, address.uri(), asked.region, signed, frozenset(added), payload)


def object_of(asked: Asked, store: Store) -> Location:
    """Return where a request goes: to its object, its prefix, or the first key of its body. Nothing else is checked.

    :raises ForbiddenException: when that cannot be told
    """
    address = parse_address(asked.uri, store)
    key = address.key or address.query.get("prefix", "").rstrip("/")
    if not key and asked.body is not None:
        key = keys_of(asked.body)[0]
    check_key("uri", key)
    return Location("s3", address.bucket, key)


def _check_deletion(
    body: str | None, headers: Mapping[str, str], address: Address, location: Location
) -> dict[str, str]:
    """Check the keys and return hashes that tie the signature to this very body, by header."""
    if body is None:
        raise refusal("body", "DeleteObjects is only signed together with its body")
    for key in keys_of(body):
        check_inside("body", address.bucket, key, location)
    hashes = _hashes(body.encode())
    for name, value in hashes.items():
        if headers.get(name, value) != value:
            raise refusal(f"headers.{name}", "it does not fit the body, which has to be signed")
    return hashes


def _hashes(content: bytes) -> dict[str, str]:
    sha256 = hashlib.sha256(content)
    raw = {
        "content-md5": hashlib.md5(content, usedforsecurity=False).digest(),
        "x-amz-checksum-sha1": hashlib.sha1(content, usedforsecurity=False).digest(),
        "x-amz-checksum-sha256": sha256.digest(),
        "x-amz-checksum-crc32": zlib.crc32(content).to_bytes(4),
    }
    encoded = {name: base64.b64encode(value).decode() for name, value in raw.items()}
    return {**encoded, "x-amz-content-sha256": sha256.hexdigest()}
