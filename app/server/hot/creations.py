"""Requests that create namespaces: all that wait at once share one transaction.

What is not plain success is left to Flask, each request alone: then nothing was done here.
"""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import gevent
import msgspec
from gevent.event import Event

from app.auth.access import Access
from app.auth.decide import Need, Verdict
from app.auth.names import AuthorizedNames
from app.auth.privileges import Privilege
from app.auth.sessions import Session
from app.catalog.context import Warehouse
from app.catalog.namespace_creations import Creation, check_creation, create_namespaces
from app.catalog.namespace_properties import LOCATION
from app.catalog.namespaces import LoadedNamespace
from app.catalog.warehouses import active
from app.changes.origin import Origin
from app.config import Settings
from app.db import ConnectionLost, PoolExhausted, QueryTimedOut, TransactionOutcomeUnknown
from app.errors import InternalServerError, ServiceError
from app.identifiers import decode_segment
from app.observability.forwarding import TrustedProxies
from app.observability.logs import get_logger
from app.server.deadlines import RequestDeadline
from app.server.hot.heads import Head
from app.server.hot.replies import Reply
from app.server.hot.services import HotServices
from app.server.hot.shapes import Learning, Shape, Shapes

log = get_logger("creations")
MOST_AT_ONCE: Final = 100
_CREATE: Final = Need((Privilege.CREATE,), "warehouse")
_CREATED: Final = 200


class Body(msgspec.Struct, forbid_unknown_fields=True):
    """The body of a request for a namespace without a parent."""

    namespace: tuple[str]
    properties: dict[str, str] = {}


_decode = msgspec.json.Decoder(Body).decode


Outcome = Reply | ServiceError | Learning | None
"""The answer to a namespace that was created; why nobody can say that, or that the database is away; None, or who wants
to learn from it: Flask has to be asked."""


class Asked(NamedTuple):
    """A request; ``answer`` gets its outcome, in the greenlet of ``Creations``, and must not wait."""

    head: Head
    body: bytes
    peer: str
    request_id: str
    answer: Callable[[Outcome], None]


class Task(NamedTuple):
    """A request that may be carried out here."""

    session: Session
    warehouse: Warehouse
    creation: Creation
    shape: Shape

    @property
    def full_name(self) -> tuple[int, str]:
        return self.warehouse.id, self.creation.name

    def reply(self, created: LoadedNamespace) -> Reply:
        body = msgspec.json.encode(created.shown())
        return self.shape.reply(body, principal=self.session.principal.name, warehouse=self.warehouse.name)


class Batch:
    """Requests that were taken together; each is answered once."""

    def __init__(self, waiting: Sequence[Asked]) -> None:
        self._left = dict(enumerate(waiting))

    def left(self) -> list[tuple[int, Asked]]:
        """Return the requests without an answer, with their numbers."""
        return list(self._left.items())

    def answer(self, number: int, outcome: Outcome) -> None:
        asked = self._left.pop(number)
        try:
            asked.answer(outcome)
        except Exception as error:  # noqa: BLE001 - the others must not wait for ever
            log.error("answer not given", error=error)

    def leave(self) -> None:
        """Leave all that are left to Flask: nothing was done for them."""
        for number, _ in self.left():
            self.answer(number, None)

    def refuse(self, error: ServiceError) -> None:
        """Answer all that are left."""
        for number, _ in self.left():
            self.answer(number, error)


class Creations:
    """One worker's. May be asked on the hub."""

    def __init__(self, settings: Settings, services: HotServices, proxies: TrustedProxies) -> None:
        self._settings = settings
        self._services = services
        self._proxies = proxies
        self._shapes = Shapes(_CREATED)
        self._version: int | None = None
        self._waiting: list[Asked] = []
        self._wake = Event()
        self._greenlet: gevent.Greenlet | None = None

    def start(self) -> None:
        self._greenlet = gevent.spawn(self._run)

    def close(self) -> None:
        if self._greenlet is not None:
            self._greenlet.kill(block=False)

    def submit(self, asked: Asked) -> None:
        self._waiting.append(asked)
        self._wake.set()

    def _run(self) -> None:
        while True:
            self._wake.wait()
            waiting, self._waiting = self._waiting[:MOST_AT_ONCE], self._waiting[MOST_AT_ONCE:]
            if not self._waiting:
                self._wake.clear()
            self._carry_out(waiting)

    def _carry_out(self, waiting: Sequence[Asked]) -> None:
        batch = Batch(waiting)
        try:
            with RequestDeadline(self._settings.server.request_timeout, reading=False):
                version = self._decide_by()
                for tasks in self._tasks(batch, version or 0):
                    self._create(batch, tasks, version)
        except RequestDeadline as late:
            batch.refuse(late.answer(waiting[0].head, self._settings))
        except PoolExhausted:
            batch.leave()
        except ServiceError as error:
            batch.refuse(error)
        except Exception as error:  # noqa: BLE001 - without this greenlet nobody would be answered any more
            log.error("namespaces not created", error=error)
            batch.refuse(InternalServerError("Internal server error"))

    def _tasks(self, batch: Batch, version: int) -> list[dict[int, Task]]:
        """What may be done here, by warehouse; the rest is left to Flask."""
        names: set[tuple[int, str]] = set()
        tasks: dict[int, dict[int, Task]] = {}
        for number, asked in batch.left():
            task = self._task(asked, version)
            if not isinstance(task, Task):
                batch.answer(number, task)
            elif task.full_name in names or not self._services.admits(task.session):
                batch.answer(number, None)
            else:
                names.add(task.full_name)
                tasks.setdefault(task.warehouse.id, {})[number] = task
        return list(tasks.values())

    def _decide_by(self) -> int | None:
        """The ``security_version`` that was the newest a moment ago; the statement looks whether it still is."""
        authenticator = self._services.authenticator
        if authenticator is not None and self._version is None:
            self._version = authenticator.freshness.version()
        return self._version

    def _create(self, batch: Batch, tasks: dict[int, Task], version: int | None) -> None:
        warehouse = next(iter(tasks.values())).warehouse
        created: list[LoadedNamespace | None]
        try:
            created = create_namespaces(
                self._services.catalog, warehouse, [task.creation for task in tasks.values()], version
            )
        except (TransactionOutcomeUnknown, ConnectionLost, QueryTimedOut):
            raise
        except Exception as error:  # noqa: BLE001 - nothing was done: whoever is not to blame gets through alone
            log.debug("namespaces not created together", error=str(error))
            created = [None] * len(tasks)
        if not any(created):
            self._version = None  # perhaps it is another one now
        for (number, task), loaded in zip(tasks.items(), created, strict=True):
            if loaded is None:
                self._services.forget(task.session)
            batch.answer(number, None if loaded is None else task.reply(loaded))

    def _task(self, asked: Asked, version: int) -> Task | Learning | None:
        head = asked.head
        shape = self._shapes.find((head.asked, self._proxies.trusts(asked.peer)))
        if isinstance(shape, Learning):
            return shape
        session = self._services.session(head, version)
        if session is None:
            return None
        try:
            warehouse = active(self._services.warehouses.resolve(_prefix(head)))
            if not self._may_create(session, version, warehouse):
                return None
            creation = self._creation(asked, session)
        except (ServiceError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        return None if creation is None else Task(session, warehouse, creation, shape)

    def _may_create(self, session: Session, version: int, warehouse: Warehouse) -> bool:
        if self._services.authenticator is None:
            return True
        authority = self._services.authorities.of(session, version)
        access = Access(
            self._services.catalog.db, session, authority, self._services.policy, AuthorizedNames()
        )
        is_seen = access.sees(warehouse.id)
        return is_seen and access.judge_at_large(_CREATE, warehouse.id) is Verdict.ALLOWED

    def _creation(self, asked: Asked, session: Session) -> Creation | None:
        """
        :raises ServiceError: when it is not allowed
        """
        body = _decode(asked.body)
        if LOCATION in body.properties or b"\\u0000" in asked.body:
            return None
        principal, head = session.principal, asked.head
        origin = Origin(
            principal=principal.name,
            principal_id=principal.id,
            principal_kind=principal.kind,
            credential=session.credential or None,
            request_id=asked.request_id,
            address=self._proxies.client_address(asked.peer, head.forwarded_for),
            user_agent=head.user_agent,
        )
        creation = Creation(body.namespace[0], body.properties, origin)
        check_creation(self._services.catalog, creation)
        return creation


def _prefix(head: Head) -> str | None:
    """What stands between ``/v1`` and ``/namespaces``."""
    middle = head.path.split("/")[2:-1]
    return decode_segment(middle[0]) if middle else None
