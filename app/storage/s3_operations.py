"""The S3 operations that may be signed, told apart by method, address and query."""

import re
from typing import NamedTuple

from app.storage.locations import Location
from app.storage.s3_addresses import Address, check_key, refusal

_VALUES = {
    "list-type": re.compile("2"),
    "delete": re.compile(""),
    "uploads": re.compile(""),
    "encoding-type": re.compile("url"),
    "partNumber": re.compile("[1-9][0-9]{0,4}"),
    "max-keys": re.compile("[0-9]{1,9}"),
    "max-parts": re.compile("[0-9]{1,9}"),
    "part-number-marker": re.compile("[0-9]{1,5}"),
    "uploadId": re.compile(r"[\x21-\x7e]{1,2048}"),
}
_ANY = re.compile(r"[^\x00-\x1f\x7f-\x9f]*")


class Operation(NamedTuple):
    """``needs`` and ``may`` are its query parameters; ``of_bucket`` that it names no key in the path."""

    name: str
    method: str
    needs: frozenset[str] = frozenset()
    may: frozenset[str] = frozenset()
    of_bucket: bool = False

    @property
    def writes(self) -> bool:
        return self.method not in {"GET", "HEAD"}


_LISTING = ("delimiter", "encoding-type", "max-keys", "continuation-token", "start-after")
_UPLOAD = frozenset({"uploadId"})
# The first that fits counts.
OPERATIONS = (
    Operation(
        "ListObjectsV2", "GET", frozenset({"list-type", "prefix"}), frozenset(_LISTING), of_bucket=True
    ),
    Operation("DeleteObjects", "POST", frozenset({"delete"}), of_bucket=True),
    Operation("UploadPart", "PUT", frozenset({"uploadId", "partNumber"})),
    Operation("CompleteMultipartUpload", "POST", _UPLOAD),
    Operation("AbortMultipartUpload", "DELETE", _UPLOAD),
    Operation("ListParts", "GET", _UPLOAD, frozenset({"max-parts", "part-number-marker"})),
    Operation("CreateMultipartUpload", "POST", frozenset({"uploads"})),
    Operation("GetObject", "GET"),
    Operation("HeadObject", "HEAD"),
    Operation("PutObject", "PUT"),
    Operation("DeleteObject", "DELETE"),
)


def operation_of(method: str, address: Address) -> Operation:
    """
    :raises ForbiddenException: when it is none of the above, or has a query parameter that it does not know
    """
    names = frozenset(address.query)
    for operation in OPERATIONS:
        if (
            operation.method == method
            and operation.of_bucket == (not address.key)
            and operation.needs <= names
        ):
            _check_query(operation, address)
            return operation
    target = "an object" if address.key else "a bucket"
    given = ", ".join(sorted(names)) or "none"
    raise refusal(
        "method", f"no operation that is signed: {method[:20]} on {target}, query parameters: {given[:200]}"
    )


def _check_query(operation: Operation, address: Address) -> None:
    for name, value in address.query.items():
        if name == "x-id":
            fits = value == operation.name
        elif name in operation.needs | operation.may:
            fits = bool(_VALUES.get(name, _ANY).fullmatch(value))
        else:
            raise refusal("uri", f"the query parameter {name!r} is not signed with {operation.name}")
        if not fits:
            raise refusal(
                "uri", f"the query parameter {name!r} of {operation.name} must not be {value[:80]!r}"
            )


def check_inside(field: str, bucket: str, key: str, location: Location) -> None:
    """
    :raises ForbiddenException: when an object is not below the location
    """
    check_key(field, key)
    if bucket != location.bucket or not key.startswith(f"{location.path}/"):
        raise refusal(field, f"{key[:300]!r} in bucket {bucket[:80]!r} is outside the table's location")


def check_listing(address: Address, location: Location) -> None:
    """
    :raises ForbiddenException: when the listing could show what is not below the location
    """
    prefix = address.query["prefix"]
    within = f"{location.path}/"
    if address.bucket != location.bucket or not prefix.startswith(within):
        raise refusal("uri", f"prefix {prefix[:300]!r} does not begin with the table's location and '/'")
    if prefix != within:
        check_key("uri", prefix.removesuffix("/"))
