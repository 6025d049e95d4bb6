"""Requests that carry an Idempotency-Key take effect once, however often they arrive.

The key's row is written first in the transaction of the effect, so both exist or neither. A duplicate waits for that
transaction, then gets the first one's answer. Errors that would come again (400, 404, 409, 422) are kept as well; all
others leave the key unused. Source: the specification's ``Idempotency-Key`` parameter.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

import msgspec

from app import errors
from app.catalog.context import Caller, Catalog, Warehouse
from app.catalog.warehouses import no_such_warehouse
from app.db import ConstraintViolated, LockNotAvailable, Transaction
from app.errors import ServiceError, ServiceUnavailableException, UnprocessableEntityException
from app.metadata.shapes import JsonObject
from app.observability.failpoints import failpoint

P = ParamSpec("P")
T = TypeVar("T")
UseCase = Callable[Concatenate[Catalog, Caller, Warehouse, P], T]
Revive = Callable[[Catalog, Warehouse, JsonObject], T]


class AlreadyDone(Exception):
    """The key was used before; what came of it is in the database."""


def once(revive: Revive[T]) -> Callable[[UseCase[P, T]], UseCase[P, T]]:
    """Make a use case take effect once per key.

    The use case does its work inside :func:`mutation` and keeps what it returns with :func:`keep_result`.

    :param revive: makes the kept result into what the use case returned
    """

    def decorate(use_case: UseCase[P, T]) -> UseCase[P, T]:
        @wraps(use_case)
        def wrapper(
            catalog: Catalog, caller: Caller, warehouse: Warehouse, *args: P.args, **kwargs: P.kwargs
        ) -> T:
            if caller.idempotency is None:
                return use_case(catalog, caller, warehouse, *args, **kwargs)
            try:
                return use_case(catalog, caller, warehouse, *args, **kwargs)
            except AlreadyDone:
                return revive(catalog, warehouse, _replay(catalog, caller, warehouse))
            except ServiceError as error:
                if not caller.idempotency.keeps(error.code) or _keep_error(catalog, caller, warehouse, error):
                    raise
                return revive(catalog, warehouse, _replay(catalog, caller, warehouse))

        return cast(UseCase[P, T], wrapper)

    return decorate


@contextmanager
def mutation(catalog: Catalog, caller: Caller, warehouse: Warehouse) -> Iterator[Transaction]:
    """The transaction of a use case; with a key, the key is claimed first.

    :raises AlreadyDone: when the key was used before
    """
    failpoint("mutation.begin")
    with catalog.db.transaction() as tx:
        if caller.idempotency is not None:
            _claim(tx, caller, warehouse)
        yield tx
        failpoint("mutation.end")


def keep_result(tx: Transaction, caller: Caller, warehouse: Warehouse, result: JsonObject) -> None:
    """Keep what duplicates of this request will be answered with."""
    if caller.idempotency is not None:
        text = msgspec.json.encode(result).decode()
        tx.queue("keep_idempotent_result", result=text, **_key(caller, warehouse))


def no_result(_catalog: Catalog, _warehouse: Warehouse, _result: JsonObject) -> None:
    """The result of use cases that return nothing."""


def _claim(tx: Transaction, caller: Caller, warehouse: Warehouse) -> None:
    try:
        row = tx.fetch_one("claim_idempotency_key", **_key(caller, warehouse), **_fingerprint(caller))
    except LockNotAvailable as error:
        raise ServiceUnavailableException(
            "A request with the same Idempotency-Key is still running; try again",
            headers={"Retry-After": "1"},
        ) from error
    except ConstraintViolated as error:
        raise no_such_warehouse(warehouse.name) from error
    if row is None:
        raise AlreadyDone


def _keep_error(catalog: Catalog, caller: Caller, warehouse: Warehouse, error: ServiceError) -> bool:
    """Whether the error is what duplicates will get; False when the key was used before."""
    text = msgspec.json.encode({"type": error.type, "message": error.message}).decode()
    try:
        row = catalog.db.fetch_one(
            "keep_idempotent_error", error=text, **_key(caller, warehouse), **_fingerprint(caller)
        )
    except ConstraintViolated:
        # The warehouse is gone, and its keys with it.
        return True
    return row is not None


def _replay(catalog: Catalog, caller: Caller, warehouse: Warehouse) -> JsonObject:
    row = catalog.db.fetch_one("load_idempotency_key", **_key(caller, warehouse))
    if row is None:
        raise ServiceUnavailableException(
            "The Idempotency-Key has just expired; try again", headers={"Retry-After": "1"}
        )
    if bytes(row.fingerprint) != _fingerprint(caller)["fingerprint"]:
        raise UnprocessableEntityException("The Idempotency-Key was used before for a different request")
    if row.error is not None:
        error = msgspec.json.decode(row.error)
        raise getattr(errors, error["type"])(error["message"])
    return msgspec.json.decode(row.result) if row.result is not None else {}


def _key(caller: Caller, warehouse: Warehouse) -> dict[str, Any]:
    assert caller.idempotency is not None
    return {"warehouse_id": warehouse.id, "principal": caller.principal, "key": caller.idempotency.key}


def _fingerprint(caller: Caller) -> dict[str, Any]:
    assert caller.idempotency is not None
    return {"fingerprint": caller.idempotency.fingerprint}
