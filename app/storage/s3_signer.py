"""Signatures of version 4 for S3 requests, made by botocore."""

from typing import Any

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials

from app.storage.signing import Approved
from app.storage.vending import Vended

_OWN = frozenset({"authorization", "x-amz-content-sha256", "x-amz-date", "x-amz-security-token"})


class _Signer(S3SigV4Auth):
    """Takes the hash of the body from the headers: the body itself stays with the client."""

    def payload(self, request: Any) -> str:
        return str(request.context["payload"])


def session_keys(vended: Vended) -> ReadOnlyCredentials:
    """Return temporary keys as botocore has them."""
    members = ("s3.access-key-id", "s3.secret-access-key", "s3.session-token")
    return ReadOnlyCredentials(*(vended.secrets[member] for member in members))


def sign(approved: Approved, credentials: ReadOnlyCredentials) -> dict[str, str]:
    """Return the headers to send beside those that the client has already."""
    request = AWSRequest(approved.operation.method, approved.uri, headers=approved.headers)
    request.context["payload"] = approved.payload
    _Signer(credentials, "s3", approved.region).add_auth(request)
    wanted = approved.added | (_OWN - approved.headers.keys())
    return {name: value for name, value in request.headers.items() if name.lower() in wanted}
