"""A server that asks everybody who they are, as tests use it; its signing key is known to them, as to no attacker."""

import base64
import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Mapping
from typing import Any

import requests

from tests.contract.calls import ok
from tests.support.postgres import DatabaseAddress
from tests.support.server import Client, TestServer

CLIENT_ID = "first-administrator"
TOKENS = "/v1/oauth/tokens"
LOCATION = "/v1/namespaces"
BUMP = "UPDATE security_version SET version = version + 1"


class Guard:
    """The settings, and the secrets in them."""

    def __init__(self) -> None:
        self.key = os.urandom(32)
        self.client_secret = secrets.token_urlsafe(32)

    def settings(self) -> dict[str, object]:
        return {
            "auth.enabled": True,
            "auth.api_key.enabled": True,
            "auth.acl.enabled": True,
            "auth.oauth2.enabled": True,
            "auth.oauth2.client_id": CLIENT_ID,
            "auth.oauth2.client_secret": self.client_secret,
            "auth.signing_key": base64.b64encode(self.key).decode(),
        }

    def login(self, client: Client) -> str:
        """Return an access token of the first administrator."""
        form = {
            "grant_type": "client_credentials",
            "client_id": CLIENT_ID,
            "client_secret": self.client_secret,
        }
        return str(ok(client.post(TOKENS, data=form))["access_token"])


class Guarded:
    """A running server with its guard. ``genuine`` is a good token of the first administrator."""

    def __init__(self, server: TestServer, guard: Guard) -> None:
        assert server.database is not None
        self.server, self.guard = server, guard
        self.database: DatabaseAddress = server.database
        self.client = server.client()
        self.genuine = guard.login(self.client)

    def get(self, **headers: str) -> requests.Response:
        """List namespaces with these headers, underscores standing for hyphens."""
        return self.client.get(
            LOCATION, headers={name.replace("_", "-"): value for name, value in headers.items()}
        )

    def bear(self, token: str) -> requests.Response:
        return self.get(Authorization=f"Bearer {token}")

    def change(self, statement: str, *parameters: object) -> None:
        """Change what the database says of credentials, as the service itself would."""
        self.database.query(statement, *parameters)
        self.database.query(BUMP)


def encoded(value: bytes | Mapping[str, Any]) -> str:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decoded(segment: str) -> dict[str, Any]:
    return dict(json.loads(base64.urlsafe_b64decode(segment + "==")))


def parts_of(token: str) -> tuple[dict[str, Any], dict[str, Any], str]:
    """Return header, claims and signature."""
    header, claims, signature = token.split(".")
    return decoded(header), decoded(claims), signature


def signed(header: Mapping[str, Any], claims: Mapping[str, Any], key: bytes, digest: str = "sha256") -> str:
    """Make a token without any library that could refuse to."""
    text = f"{encoded(header)}.{encoded(claims)}"
    return f"{text}.{encoded(hmac.new(key, text.encode(), getattr(hashlib, digest)).digest())}"
