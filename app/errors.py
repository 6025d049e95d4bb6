"""Every error the service can answer with: one class per error type on the wire.

The wire ``type`` is the class name, the HTTP status its ``code``. Raise anywhere; the API renders it once.
Source: the exception table of the Iceberg REST specification and its Java reference.
"""

from typing import ClassVar, NamedTuple


class ServiceError(Exception):
    """Base of all answers that are not a success; ``str(error)`` is the message the client reads."""

    code: ClassVar[int] = 500

    def __init__(self, message: str, *, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.headers = headers or {}

    @property
    def type(self) -> str:
        """The wire type: the name of the nearest class of this module."""
        return next(kind.__name__ for kind in type(self).__mro__ if kind.__module__ == __name__)


class BadRequestException(ServiceError):
    """The request cannot be understood: malformed JSON, an unknown update, a bad page token."""

    code = 400


class IllegalArgumentException(ServiceError):
    """A semantic precondition of the operation does not hold."""

    code = 400


class ValidationException(ServiceError):
    """The resulting metadata would be invalid."""

    code = 400


class NotAuthorizedException(ServiceError):
    """Nobody knows who asks. ``reason`` is a word for the figures, such as ``missing``, ``expired`` or ``revoked``."""

    code = 401

    def __init__(
        self, message: str, *, reason: str = "invalid", headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(message, headers=headers)
        self.reason = reason


class Denial(NamedTuple):
    """Which privilege was missing on what, None where none would help.

    ``object_kind`` is server, warehouse, namespace, table, view or function.
    """

    privilege: str | None
    object_kind: str
    object_id: int | None = None
    warehouse_id: int | None = None
    namespace: tuple[str, ...] = ()
    name: str | None = None


class ForbiddenException(ServiceError):
    """One may know of it, but not do that. ``denial`` is for the audit; without it the path says what it was about."""

    code = 403

    def __init__(
        self, message: str, *, denial: Denial | None = None, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(message, headers=headers)
        self.denial = denial


class NoSuchWarehouseException(ServiceError):
    code = 404


class NoSuchNamespaceException(ServiceError):
    code = 404


class NoSuchTableException(ServiceError):
    code = 404


class NoSuchViewException(ServiceError):
    code = 404


class NoSuchFunctionException(ServiceError):
    code = 404


class NotFoundException(ServiceError):
    """A file that the catalog was pointed at is missing in storage, or a path outside the API."""

    code = 404


class MethodNotAllowedException(ServiceError):
    code = 405


class UnsupportedOperationException(ServiceError):
    code = 406


class RequestTimeoutException(ServiceError):
    """The client did not send its request in time."""

    code = 408


class AlreadyExistsException(ServiceError):
    code = 409


class NamespaceNotEmptyException(ServiceError):
    code = 409


class CommitFailedException(ServiceError):
    """The commit is definitely not applied; a client may refresh and retry."""

    code = 409


class ConflictException(ServiceError):
    """The state of the catalog does not allow it: something is protected, gone, or has ended."""

    code = 409


class RequestTooLargeException(ServiceError):
    code = 413


class UriTooLongException(ServiceError):
    code = 414


class UnsupportedMediaTypeException(ServiceError):
    code = 415


class UnprocessableEntityException(ServiceError):
    code = 422


class TooManyRequestsException(ServiceError):
    """Refused before any work started; the Java client retries it for every method."""

    code = 429


class RequestHeaderFieldsTooLargeException(ServiceError):
    code = 431


class InternalServerError(ServiceError):
    code = 500


class CommitStateUnknownException(ServiceError):
    """The commit may or may not be applied; clients keep their files and look again."""

    code = 500


class ServiceUnavailableException(ServiceError):
    """Nothing was applied; try again later."""

    code = 503


class SlowDownException(ServiceError):
    """Refused under load before any work started."""

    code = 503
