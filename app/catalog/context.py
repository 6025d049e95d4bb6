"""What the use cases work with, wired once per process, and who calls them."""

import threading
import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

import msgspec

from app.auth.names import UNCHECKED, AuthorizedNames
from app.catalog.queue import CommitQueue
from app.catalog.storages import WarehouseStorages
from app.changes.effects import UNTRACED, Reads
from app.changes.origin import Origin
from app.config import Settings
from app.db import Database, Row
from app.storage.executor import Executor
from app.storage.profiles import StorageProfile


@dataclass(frozen=True, slots=True)
class Warehouse:
    """A named root of storage; ``prefix`` is its path segment behind ``/v1/``.

    Without ``profile`` the settings say how the storage is reached. ``soft_delete_seconds`` is how long what is
    dropped is held; None drops at once. ``version`` grows with every change of the row. ``names`` are
    those in it that the request at hand was authorized for, ``reads`` what it has read.
    """

    id: int
    name: str
    prefix: str
    root_location: str
    is_default: bool
    is_active: bool
    is_protected: bool
    soft_delete_seconds: int | None
    profile: StorageProfile | None
    sealed_secret: bytes | None = field(repr=False)
    version: int
    created_at: datetime
    updated_at: datetime
    names: AuthorizedNames = field(default=UNCHECKED, compare=False, repr=False)
    reads: Reads = field(default=UNTRACED, compare=False, repr=False)

    @classmethod
    def from_row(cls, row: Row) -> Self:
        """Make one of a row of the queries that load warehouses."""
        profile = row.storage_profile
        return cls(
            id=row.id,
            name=row.name,
            prefix=row.prefix,
            root_location=row.root_location,
            is_default=row.is_default,
            is_active=row.active,
            is_protected=row.protected,
            soft_delete_seconds=row.soft_delete_seconds,
            profile=None if profile is None else msgspec.json.decode(profile, type=StorageProfile),
            sealed_secret=None if row.sealed_secret is None else bytes(row.sealed_secret),
            version=row.version,
            created_at=row.created_at,
            updated_at=row.updated_at,
        )


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """``key`` is a UUID that the client chose; ``fingerprint`` a hash of what it asked for.

    ``keeps_missing`` is false while the path may still mean another name, so that a 404 is not final.
    """

    key: str
    fingerprint: bytes
    keeps_missing: bool = True

    def keeps(self, code: int) -> bool:
        """Whether an error of this status would come again and is the answer of every duplicate."""
        return code in (400, 409, 422) or (code == 404 and self.keeps_missing)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, from where, and until when (monotonic time) there has to be an answer.

    ``request_bytes`` is the size of the request's body; ``delegation`` names the ways in which the client could be let
    at the files (``vended-credentials``, ``remote-signing``), in its order.
    """

    origin: Origin
    deadline: float
    request_bytes: int = 0
    idempotency: IdempotencyKey | None = None
    delegation: tuple[str, ...] = ()

    @property
    def principal(self) -> str:
        return self.origin.principal

    @property
    def principal_id(self) -> int | None:
        """The principal's row, None without one."""
        return self.origin.principal_id

    @property
    def identity(self) -> str:
        """What tells the principal apart, also from one that had the name before."""
        return f"{self.origin.principal_id}:{self.origin.principal}"

    @property
    def request_id(self) -> str:
        return self.origin.request_id

    def seconds_left(self) -> float:
        return max(0.0, self.deadline - time.monotonic())


@dataclass(frozen=True, slots=True)
class Catalog:
    """The parts that every use case needs. Safe to share between greenlets.

    ``cpu`` runs in threads what would keep the event loop busy: compression, the rules on large documents;
    ``last_resort`` lets one commit per worker hold a row lock across its storage call.
    """

    settings: Settings
    db: Database
    storages: WarehouseStorages
    cpu: Executor
    commit_queue: CommitQueue = field(default_factory=CommitQueue)
    last_resort: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(1))
