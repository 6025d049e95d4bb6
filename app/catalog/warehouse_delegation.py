"""How a warehouse lets clients at its files, as people ask for it, checked strictly."""

import re
from typing import cast

from app.catalog.context import Catalog
from app.catalog.warehouse_requests import RequestedProfile, RequestedSts
from app.errors import BadRequestException, IllegalArgumentException
from app.storage.endpoints import EndpointRefused
from app.storage.profiles import LONGEST_SESSION, SHORTEST_SESSION, CredentialsReference, StsProfile, Way
from app.storage.roles import session_problem, ways_problem

FIELD = "storage-profile"


def check_delegation(
    catalog: Catalog, asked: RequestedProfile, endpoint: str, reference: CredentialsReference
) -> tuple[tuple[Way, ...], StsProfile | None]:
    """Return the ways that are offered, and how temporary keys are got when they are among them.

    :param endpoint: that of the store, empty for AWS
    :param reference: where the service's own keys come from
    :raises BadRequestException: when a member is malformed
    :raises IllegalArgumentException: when the endpoint must not be used
    """
    problem = ways_problem(asked.delegation)
    if problem:
        raise BadRequestException(f"Invalid {FIELD}.delegation: {problem}")
    ways = cast(tuple[Way, ...], tuple(dict.fromkeys(asked.delegation)))
    if "static-keys" in ways and reference.type == "default":
        raise BadRequestException(
            f"Invalid {FIELD}.delegation: static-keys need keys of the warehouse's own, not the default ones"
        )
    if {"static-keys", "vended-credentials"} <= set(ways):
        raise BadRequestException(
            f"Invalid {FIELD}.delegation: vended-credentials and static-keys exclude one another"
        )
    if "vended-credentials" in ways or (asked.sts is not None and "remote-signing" in ways):
        return ways, _check_sts(catalog, asked.sts or RequestedSts(), endpoint)
    if asked.sts is not None:
        raise BadRequestException(
            f"Invalid {FIELD}.sts: without vended-credentials or remote-signing in delegation it has no use"
        )
    return ways, None


def check_endpoint(catalog: Catalog, member: str, endpoint: str) -> None:
    """
    :raises IllegalArgumentException: when the service must not connect there
    """
    try:
        catalog.storages.endpoints.check(endpoint)
    except EndpointRefused as error:
        shown = re.sub(r"//.*@", "//***@", endpoint)[:200]
        raise IllegalArgumentException(f"Invalid {FIELD}.{member} {shown!r}: {error}") from error


def _check_sts(catalog: Catalog, asked: RequestedSts, endpoint: str) -> StsProfile:
    role_arn, external_id = asked.role_arn or "", asked.external_id or ""
    found = session_problem(role_arn, external_id, on_aws=not endpoint)
    if found:
        member, rule = found
        raise BadRequestException(f"Invalid {FIELD}.sts.{member.replace('_', '-')}: {rule}")
    default = StsProfile().session_duration_seconds
    seconds = default if asked.session_duration_seconds is None else asked.session_duration_seconds
    if not SHORTEST_SESSION <= seconds <= LONGEST_SESSION:
        raise BadRequestException(
            f"Invalid {FIELD}.sts.session-duration-seconds {seconds}:"
            f" expected {SHORTEST_SESSION} to {LONGEST_SESSION} (15 minutes to 12 hours)"
        )
    own = (asked.endpoint or "").rstrip("/")
    if own:
        check_endpoint(catalog, "sts.endpoint", own)
    return StsProfile(role_arn, external_id, seconds, own)
