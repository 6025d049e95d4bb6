"""S3 and what speaks its protocol, through boto3.

One client serves a whole process: between the greenlets of one loop, or between plain threads. botocore's own
retries are off, because they know no time limit for the whole operation.
"""

import random
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from typing import Any, TypeVar

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from app.config import S3Settings
from app.errors import (
    AlreadyExistsException,
    InternalServerError,
    NotFoundException,
    ServiceError,
    ServiceUnavailableException,
)
from app.storage import s3_errors
from app.storage.aws import aws_client
from app.storage.filesystem import Page, too_large
from app.storage.locations import Location, normalise
from app.storage.s3_listing import list_request, page_of
from app.storage.s3_signer import session_keys, sign
from app.storage.signing import Approved
from app.storage.vending import Vended

T = TypeVar("T")

_CHUNK = 1 << 16
_BATCH = 1000
"""Most keys of one DeleteObjects request."""
_PAUSES = (0.1, 0.4)
"""Seconds before the second and the third attempt."""


class S3FileSystem:
    """Objects in buckets; the service checks beforehand which locations are allowed.

    :param timeout: seconds to connect, and between two bytes of an answer
    :param deadline: seconds for an operation with its retries
    :param connections: most connections that are kept open
    :param public_only: refuse to connect to private, loopback and link-local addresses
    :param session_token: of temporary keys
    """

    def __init__(
        self,
        settings: S3Settings,
        timeout: float,
        deadline: float,
        connections: int,
        *,
        public_only: bool = False,
        session_token: str = "",
    ) -> None:
        self._timeout = timeout
        self._deadline = deadline
        options = _options(settings, timeout, connections)
        self._client: Any = aws_client(
            "s3", public_only=public_only, aws_session_token=session_token or None, **options
        )
        self._conditional_writes = True
        self._client.meta.events.register_first("needs-retry.s3", _redirect_only_to_a_named_region)

    def close(self) -> None:
        """Close idle connections; requests under way finish."""
        self._client.close()

    def read(self, location: str, max_bytes: int) -> bytes:
        """Return the whole object.

        :raises NotFoundException: when there is none
        :raises BadRequestException: when it is larger than ``max_bytes``
        :raises ServiceError: when the store does not answer or refuses
        """
        place = _object(location)

        def get(client: Any, expires: float) -> bytes:
            answer = client.get_object(Bucket=place.bucket, Key=place.path)
            with closing(answer["Body"]) as body:
                if answer["ContentLength"] > max_bytes:
                    raise too_large(location, max_bytes)
                return _drain(body.iter_chunks(_CHUNK), location, max_bytes, expires)

        return self._attempt("read", place, location, get)

    def exists(self, location: str) -> bool:
        """Whether there is an object.

        :raises ServiceError: when the store does not answer or refuses
        """
        place = _object(location)
        try:
            self._attempt(
                "look for", place, location, lambda client, _: client.head_object(**_address(place))
            )
        except NotFoundException:
            return False
        return True

    def list_page(self, folder: str, after: str = "") -> Page:
        """Return up to a thousand of what lies directly below a prefix.

        :raises ServiceError: when the store does not answer or refuses
        """
        place = normalise(folder)
        request = list_request(place, after)
        return self._attempt(
            "list", place, folder, lambda client, _: page_of(client.list_objects_v2(**request), request)
        )

    def write_new(self, location: str, data: bytes) -> None:
        """Create an object.

        :raises AlreadyExistsException: when there is one with other content; it is left alone
        :raises ServiceError: when the store does not answer (the object may exist then) or refuses
        """
        place = _object(location)
        try:
            self._attempt("write", place, location, lambda client, _: self._put(client, place, data))
        except _ExistsError:
            # An attempt of ours whose answer was lost may have created it.
            if self.read(location, len(data)) != data:
                raise AlreadyExistsException(f"Failed to write file {location}: it exists") from None

    def delete(self, locations: Iterable[str], *, checksums: bool = False) -> dict[str, str]:  # noqa: ARG002
        """Remove objects, 1,000 with a request; missing ones are fine and ``checksums`` are only local.

        :returns: the reason for each location that could not be removed
        """
        by_bucket: dict[str, dict[str, str]] = defaultdict(dict)
        for location in locations:
            place = _object(location)
            by_bucket[place.bucket][place.path] = location
        failures: dict[str, str] = {}
        for bucket, keys in by_bucket.items():
            for batch in _batches(keys):
                failures |= self._delete(bucket, batch)
        return failures

    def remove_empty_folders(self, locations: Iterable[str], within: str) -> None:
        """Nothing to do: a bucket has no folders."""

    def sign(self, approved: Approved, keys: Vended | None) -> dict[str, str]:
        """Sign a request and return the headers that the client has to add.

        :param keys: None takes the service's own
        :raises InternalServerError: when there are no keys
        """
        if keys is not None:
            return sign(approved, session_keys(keys))
        credentials = self._client._request_signer._credentials
        if credentials is None:
            raise InternalServerError("The service has no keys to sign requests to the storage with")
        try:
            return sign(approved, credentials.get_frozen_credentials())
        except BotoCoreError as error:
            raise InternalServerError("The service cannot get keys to sign with") from error

    def _put(self, client: Any, place: Location, data: bytes) -> None:
        condition: dict[str, Any] = {"IfNoneMatch": "*"} if self._conditional_writes else {}
        try:
            client.put_object(**_address(place), Body=data, ContentType=_content_type(place), **condition)
        except ClientError as error:
            if s3_errors.code(error) == "PreconditionFailed":
                raise _ExistsError from error
            if not condition or not s3_errors.is_unsupported(error):
                raise
            self._conditional_writes = False
            self._put(client, place, data)

    def _delete(self, bucket: str, keys: dict[str, str]) -> dict[str, str]:
        """Remove the objects of a batch (key → location) and return the reasons of failures by location."""
        place = Location("s3", bucket, "")
        request: Any = {"Objects": [{"Key": key} for key in keys], "Quiet": True}
        try:
            answer = self._attempt(
                "delete",
                place,
                place.key,
                lambda client, _: client.delete_objects(Bucket=bucket, Delete=request),
            )
        except ServiceError as error:
            return dict.fromkeys(keys.values(), error.message)
        return {
            keys[
                error["Key"]
            ]: f"Failed to delete {keys[error['Key']]}: {s3_errors.shown(str(error.get('Code')))}"
            for error in answer.get("Errors", [])
            if error.get("Code") != "NoSuchKey" and error.get("Key") in keys
        }

    def _attempt(self, operation: str, place: Location, location: str, call: Callable[[Any, float], T]) -> T:
        """Call with the client, again after transient errors while the deadline allows it."""
        expires = time.monotonic() + self._deadline
        for pause in (*_PAUSES, 0.0):
            try:
                return call(self._client, expires)
            except (BotoCoreError, ClientError) as error:
                failure = error
            if not s3_errors.is_transient(failure) or time.monotonic() + pause > expires - 2 * self._timeout:
                break
            time.sleep(random.uniform(pause / 2, pause))  # noqa: S311 - jitter, not a secret
        try:
            raise s3_errors.service_error(operation, place, location, failure) from failure
        finally:
            # Or else the error and this frame keep each other, and the connection of the answer, alive.
            del failure


class _ExistsError(Exception):
    """A conditional write found an object."""


def _options(settings: S3Settings, timeout: float, connections: int) -> dict[str, Any]:
    config = Config(
        connect_timeout=timeout,
        read_timeout=timeout,
        max_pool_connections=connections,
        retries={"total_max_attempts": 1, "mode": "standard"},
        s3={"addressing_style": "path" if settings.use_path_style else "auto"},
        # Many compatible stores do not know the newer checksums.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    return {
        "endpoint_url": settings.endpoint or None,
        "region_name": settings.region or None,
        "aws_access_key_id": settings.access_key_id or None,
        "aws_secret_access_key": settings.secret_access_key or None,
        "config": config,
    }


def _redirect_only_to_a_named_region(
    request_dict: dict[str, Any], response: tuple[Any, dict[str, Any]] | None, **_: Any
) -> None:
    """Keep botocore from asking HEAD for a bucket's region: when that is redirected too, it never ends."""
    if response is None:
        return
    parsed = response[1]
    headers = parsed.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    if "x-amz-bucket-region" not in headers and "Region" not in parsed.get("Error", {}):
        request_dict["context"].setdefault("s3_redirect", {})["redirected"] = True


def _object(location: str) -> Location:
    place = normalise(location)
    if place.family != "s3" or not place.path:
        raise NotFoundException(f"Failed to open input stream for file: {location} is no object of a bucket")
    return place


def _address(place: Location) -> dict[str, Any]:
    return {"Bucket": place.bucket, "Key": place.path}


def _content_type(place: Location) -> str:
    return "application/json" if place.path.endswith(".json") else "application/octet-stream"


def _drain(chunks: Iterable[bytes], location: str, max_bytes: int, expires: float) -> bytes:
    content = bytearray()
    for chunk in chunks:
        content += chunk
        if len(content) > max_bytes:
            raise too_large(location, max_bytes)
        if time.monotonic() > expires:
            raise ServiceUnavailableException(f"Failed to read {location}: not done within storage.deadline")
    return bytes(content)


def _batches(keys: dict[str, str]) -> Iterator[dict[str, str]]:
    entries = list(keys.items())
    for start in range(0, len(entries), _BATCH):
        yield dict(entries[start : start + _BATCH])
