"""What people ask for who manage warehouses, unchecked."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.errors import BadRequestException

DEFAULT_HOLD = 7 * 86_400
LONGEST_HOLD = 10 * 365 * 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestedCredentials:
    """``type`` is ``default``, ``secret`` (with ``name``) or ``inline`` (with both keys)."""

    type: str
    name: str | None = None
    access_key_id: str | None = None
    secret_access_key: str | None = None

    def __repr__(self) -> str:
        return f"RequestedCredentials({self.type!r}, {self.name!r}, ***)"


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestedSts:
    """How temporary keys shall be asked for."""

    role_arn: str | None = None
    external_id: str | None = None
    session_duration_seconds: int | None = None
    endpoint: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestedProfile:
    """What somebody asks for, unchecked; None is what was not said."""

    type: str
    root_location: str
    allowed_locations: Sequence[str] = ()
    endpoint: str | None = None
    region: str | None = None
    path_style_access: bool | None = None
    credentials: RequestedCredentials | None = None
    delegation: Sequence[str] = ()
    sts: RequestedSts | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SoftDelete:
    """Whether dropped tables and views are held; without ``hold_seconds`` as long as before, or a week."""

    enabled: bool
    hold_seconds: int | None = None

    def seconds(self, before: int | None) -> int | None:
        """
        :raises BadRequestException: when it contradicts itself or the time is out of range
        """
        if self.hold_seconds is not None and not self.enabled:
            raise BadRequestException(
                "Invalid soft-delete.hold-seconds: nothing is held unless enabled is true"
            )
        if not self.enabled:
            return None
        hold = self.hold_seconds if self.hold_seconds is not None else (before or DEFAULT_HOLD)
        if not 1 <= hold <= LONGEST_HOLD:
            raise BadRequestException(
                f"Invalid soft-delete.hold-seconds {hold}: expected 1 to {LONGEST_HOLD} (ten years)"
            )
        return hold


@dataclass(frozen=True, slots=True, kw_only=True)
class NewWarehouse:
    """What createWarehouse asks for."""

    name: str
    profile: RequestedProfile
    protected: bool = False
    soft_delete: SoftDelete | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WarehouseChanges:
    """What updateWarehouse asks for; None stays as it is."""

    name: str | None = None
    active: bool | None = None
    protected: bool | None = None
    soft_delete: SoftDelete | None = None
    profile: RequestedProfile | None = None
