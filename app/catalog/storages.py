"""The storages of warehouses, connected when first used and again when their profile changed."""

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

from app.config import Settings
from app.errors import BadRequestException, IllegalArgumentException, InternalServerError
from app.storage.credentials import Keys, Vault
from app.storage.endpoints import Endpoints
from app.storage.profiles import StorageProfile
from app.storage.registry import Storages, file_executor

if TYPE_CHECKING:
    from app.catalog.context import Warehouse

# A worker keeps this many warehouses connected; beyond it the one unused for longest is let go.
MOST_CONNECTED = 64


class WarehouseStorages:
    """What every use of storage asks first. Safe to share between greenlets or threads."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._files = file_executor(settings.storage)
        self._connected: OrderedDict[int, tuple[tuple[int, int], Storages]] = OrderedDict()
        self._lock = threading.Lock()
        self.vault = Vault(settings.secrets, settings.storage.s3)
        self.endpoints = Endpoints(settings.storage.allowed_endpoints)
        # Connected before the first request: importing boto3 would hold it up.
        self.default = Storages.from_settings(settings, self._files)

    def of(self, warehouse: "Warehouse") -> Storages:
        """Return the storages of a warehouse as its row says.

        :raises InternalServerError: when its credentials are missing
        """
        if warehouse.profile is None:
            return self.default
        state = (warehouse.version, self.vault.stamp(warehouse.profile))
        with self._lock:
            known = self._connected.get(warehouse.id)
            # Who read the row before somebody changed it must not bring the old state back.
            if known is not None and (known[0] == state or known[0][0] > warehouse.version):
                self._connected.move_to_end(warehouse.id)
                return known[1]
            storages = self._connect(warehouse, warehouse.profile)
            self._keep(warehouse.id, state, storages)
            return storages

    def connect(self, profile: StorageProfile, keys: Keys | None, session_token: str = "") -> Storages:
        """Return storages that nobody else uses.

        :param session_token: that goes with the keys, if they are temporary
        """
        sts = profile.sts.endpoint if profile.sts is not None else ""
        return Storages.connect(
            self._settings.storage,
            profile,
            keys,
            self._files,
            public_only=self._must_be_public(profile.endpoint),
            public_sts_only=self._must_be_public(sts or profile.endpoint),
            session_token=session_token,
        )

    def _must_be_public(self, endpoint: str) -> bool:
        return bool(endpoint) and not self.endpoints.names(endpoint)

    def _connect(self, warehouse: "Warehouse", profile: StorageProfile) -> Storages:
        try:
            keys = self.vault.keys(warehouse.prefix, profile, warehouse.sealed_secret)
        except (BadRequestException, IllegalArgumentException) as error:
            # It was fine when the warehouse was made: nothing that this client could do better.
            raise InternalServerError(
                f"The storage of warehouse {warehouse.name} cannot be used: {error.message}"
            ) from error
        return self.connect(profile, keys)

    def _keep(self, warehouse_id: int, state: tuple[int, int], storages: Storages) -> None:
        replaced = self._connected.pop(warehouse_id, None)
        self._connected[warehouse_id] = (state, storages)
        if replaced is not None:
            replaced[1].close()
        while len(self._connected) > MOST_CONNECTED:
            _, (_, unused) = self._connected.popitem(last=False)
            unused.close()
