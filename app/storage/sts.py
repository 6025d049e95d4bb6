"""Temporary keys for S3: sessions of a role (or of the service's own user, as MinIO has it), limited by a policy."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from app.storage import s3_errors
from app.storage.aws import aws_client
from app.storage.policy import PolicyTooLong, needs_escapes, session_policy
from app.storage.profiles import StsProfile
from app.storage.roles import partition
from app.storage.vending import NotVendable, Vended, Wanted

NO_ROLE = "arn:aws:iam::000000000000:role/none"
"""What is sent where keys are those of no role: the parameter has to be there."""
_AWS = (".amazonaws.com", ".amazonaws.com.cn")


@dataclass(frozen=True, slots=True, kw_only=True)
class StsSettings:
    """Where sessions are asked for and with which keys; ``store`` is the endpoint of the store, empty for AWS."""

    profile: StsProfile
    store: str
    region: str
    access_key_id: str
    secret_access_key: str = field(repr=False)

    @property
    def on_aws(self) -> bool:
        host = urlsplit(self.store).hostname or ""
        return not self.store or host.endswith(_AWS)

    @property
    def endpoint(self) -> str | None:
        """Where to ask; None lets botocore find the service of the region."""
        return self.profile.endpoint or (None if self.on_aws else self.store)


class StsVendor:
    """
    :param timeout: seconds to connect, and for an answer
    :param connections: most connections that are kept open
    :param public_only: refuse to connect to private, loopback and link-local addresses
    """

    def __init__(self, settings: StsSettings, timeout: float, connections: int, *, public_only: bool) -> None:
        self._settings = settings
        self._client: Any = aws_client(
            "sts",
            public_only=public_only,
            config=Config(
                connect_timeout=timeout,
                read_timeout=timeout,
                max_pool_connections=connections,
                retries={"total_max_attempts": 2, "mode": "standard"},
            ),
            endpoint_url=settings.endpoint,
            region_name=settings.region or None,
            aws_access_key_id=settings.access_key_id or None,
            aws_secret_access_key=settings.secret_access_key or None,
        )

    def close(self) -> None:
        self._client.close()

    def vend(self, wanted: Wanted) -> Vended:
        """Ask for keys that reach the objects below a location and nothing else.

        :raises NotVendable: when no policy says that
        :raises ServiceError: when the service refuses or does not answer
        """
        request = self._request(wanted)
        try:
            answer = self._client.assume_role(**request)["Credentials"]
        except (BotoCoreError, ClientError) as error:
            if isinstance(error, ClientError) and s3_errors.code(error) == "PackedPolicyTooLarge":
                raise NotVendable(
                    f"The path of {wanted.place.key} is too long for a session policy"
                ) from None
            raise s3_errors.service_error(
                "get temporary keys for", wanted.place, wanted.place.key, error
            ) from None
        return _vended(answer)

    def _request(self, wanted: Wanted) -> dict[str, Any]:
        if needs_escapes(wanted.place) and not self._settings.on_aws:
            # Seen with MinIO: what AWS takes for an escaped star is a star there.
            raise NotVendable(
                f"The path of {wanted.place.key} has '*', '?' or '$', which only AWS can escape"
            )
        profile = self._settings.profile
        try:
            policy = session_policy(wanted.place, wanted.access, partition(profile.role_arn))
        except PolicyTooLong as error:
            raise NotVendable(str(error)) from None
        request: dict[str, Any] = {
            "RoleArn": profile.role_arn or NO_ROLE,
            "RoleSessionName": wanted.session,
            "DurationSeconds": profile.session_duration_seconds,
            "Policy": policy,
        }
        return {**request, "ExternalId": profile.external_id} if profile.external_id else request


def _vended(answer: dict[str, Any]) -> Vended:
    expires: datetime = answer["Expiration"]
    at = expires.timestamp()
    milliseconds = str(int(at * 1000))
    secrets = {
        "s3.access-key-id": str(answer["AccessKeyId"]),
        "s3.secret-access-key": str(answer["SecretAccessKey"]),
        "s3.session-token": str(answer["SessionToken"]),
        "s3.session-token-expires-at-ms": milliseconds,
        # What the catalog's earlier version in Go called it, and what Go clients look for.
        "s3.session-token-expiration-ms": milliseconds,
        "expiration-time": milliseconds,
    }
    return Vended(str(answer["AccessKeyId"]), secrets, at)
