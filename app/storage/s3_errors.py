"""What botocore raises, as errors of ours: clear, naming bucket and operation, without credentials."""

from botocore.exceptions import (
    ClientError,
    CredentialRetrievalError,
    EndpointConnectionError,
    HTTPClientError,
    IncompleteReadError,
    NoCredentialsError,
    PartialCredentialsError,
)

from app.errors import BadRequestException, InternalServerError, ServiceError, ServiceUnavailableException
from app.storage.filesystem import missing
from app.storage.locations import Location

_BUSY = {"SlowDown", "Throttling", "RequestLimitExceeded", "RequestTimeout", "ConditionalRequestConflict"}
_SILENT = (HTTPClientError, EndpointConnectionError, IncompleteReadError)
_DENIED = {
    "AccessDenied",
    "AllAccessDisabled",
    "ExpiredToken",
    "InvalidAccessKeyId",
    "InvalidToken",
    "SignatureDoesNotMatch",
}
_ELSEWHERE = {
    "AuthorizationHeaderMalformed",
    "IllegalLocationConstraintException",
    "PermanentRedirect",
    "TemporaryRedirect",
}


_KNOWN = (
    _BUSY
    | _DENIED
    | _ELSEWHERE
    | {
        "BadDigest",
        "InvalidClientTokenId",
        "InvalidParameterValue",
        "MalformedPolicyDocument",
        "RegionDisabledException",
        "ValidationError",
        "EntityTooLarge",
        "InternalError",
        "InvalidArgument",
        "InvalidBucketName",
        "InvalidRequest",
        "MethodNotAllowed",
        "NoSuchBucket",
        "NotImplemented",
        "PreconditionFailed",
        "QuotaExceeded",
        "RequestTimeTooSkewed",
        "ServiceUnavailable",
        "XMinioStorageFull",
    }
)


def shown(reason: str) -> str:
    """The code as a message may have it: what a server makes up is not repeated, it may be anything."""
    return (
        reason
        if reason in _KNOWN or (reason.isascii() and reason.isdigit() and len(reason) == 3)
        else "unknown"
    )


def code(error: ClientError) -> str:
    """The store's error code, or the HTTP status where an answer had no body."""
    return str(error.response.get("Error", {}).get("Code") or status(error))


def status(error: ClientError) -> int:
    """The HTTP status of the store's answer."""
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") or 0)


def is_absent(error: ClientError) -> bool:
    """Whether the store says that there is no such object."""
    return code(error) in {"NoSuchKey", "404", "NotFound"}


def is_unsupported(error: ClientError) -> bool:
    """Whether the store does not know a header that we sent."""
    return status(error) == 501 or code(error) in {"NotImplemented", "InvalidArgument", "InvalidRequest"}


def is_transient(error: Exception) -> bool:
    """Whether the same request may well succeed when it is sent again."""
    if isinstance(error, ClientError):
        return code(error) in _BUSY or status(error) in {429, 500, 502, 503, 504, 507}
    return isinstance(error, _SILENT)


def service_error(operation: str, place: Location, location: str, error: Exception) -> ServiceError:
    """Return what the client is told."""
    message = f"Failed to {operation} {location} in bucket {place.bucket}"
    if isinstance(error, ClientError):
        return _refusal(message, location, error)
    if isinstance(error, NoCredentialsError | PartialCredentialsError | CredentialRetrievalError):
        return InternalServerError(f"{message}: no S3 credentials are configured or found")
    if isinstance(error, _SILENT):
        return ServiceUnavailableException(f"{message}: the store does not answer ({type(error).__name__})")
    return InternalServerError(f"{message}: {type(error).__name__}")


def _refusal(message: str, location: str, error: ClientError) -> ServiceError:
    reason = code(error)
    told = shown(reason)
    if told == "unknown":
        told = f"HTTP status {status(error)}"
    if is_absent(error):
        return missing(location)
    if reason in _DENIED or status(error) in {401, 403}:
        return InternalServerError(f"{message}: access denied ({told})")
    if reason in _ELSEWHERE or 300 <= status(error) < 400:
        hint = "check region and endpoint of the storage"
        return InternalServerError(f"{message}: the store points elsewhere ({told}); {hint}")
    if reason == "NoSuchBucket":
        return InternalServerError(f"{message}: the bucket does not exist")
    if reason == "KeyTooLongError":
        return BadRequestException(f"{message}: the key is too long")
    if is_transient(error):
        return ServiceUnavailableException(f"{message}: the store is not available ({told})")
    return InternalServerError(f"{message}: the store refused it ({told})")
