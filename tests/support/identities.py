"""Principals of a server that wants to know who asks, and sessions in their names."""

import base64
import secrets
from collections.abc import Sequence
from typing import Any, NamedTuple

import requests

from tests.factories import unique_name
from tests.support.server import Client, TestServer

TOKENS = "/v1/oauth/tokens"
PRINCIPALS = "/management/v1/principals"
KEYS = "/management/v1/keys"
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
ROOT = "root"


def signing_key() -> str:
    """Return a new value for ``auth.signing_key``."""
    return base64.b64encode(secrets.token_bytes(32)).decode()


def secured_settings(**more: object) -> dict[str, object]:
    """Return settings with authentication on and an administrator ``root``; ``more`` has two underscores for a dot."""
    return {
        "auth.enabled": True,
        "auth.signing_key": signing_key(),
        "auth.oauth2.enabled": True,
        "auth.oauth2.client_id": ROOT,
        "auth.oauth2.client_secret": secrets.token_urlsafe(24),
        "auth.api_key.enabled": True,
        "auth.max_failures_per_minute": 10_000,
        **{key.replace("__", "."): value for key, value in more.items()},
    }


class Person(NamedTuple):
    """A principal with its client secret."""

    name: str
    secret: str


def configured(server: TestServer) -> Person:
    """Return the administrator that the settings of a server name."""
    settings = server.settings
    return Person(str(settings["auth.oauth2.client_id"]), str(settings["auth.oauth2.client_secret"]))


def basic(person: Person) -> str:
    """Return the header Authorization that shows a client."""
    return "Basic " + base64.b64encode(f"{person.name}:{person.secret}".encode()).decode()


class Identities:
    """The people of a server; ``root`` administers it, by default the one of the settings."""

    def __init__(self, server: TestServer, root: Person | None = None) -> None:
        self.server = server
        self.root = root or configured(server)
        self._clients: dict[Person, Client] = {}

    @property
    def admin(self) -> Client:
        """A session of ``root``."""
        return self.as_(self.root)

    def as_(self, person: Person) -> Client:
        """Return the session of a principal, with an access token."""
        if person not in self._clients:
            self._clients[person] = self.with_token(self.token(person))
        return self._clients[person]

    def with_token(self, token: str) -> Client:
        """Return a new session that shows a token or an API key."""
        client = self.server.client()
        client.headers["Authorization"] = f"Bearer {token}"
        return client

    def ask(self, parameters: dict[str, str], headers: dict[str, str] | None = None) -> requests.Response:
        """Ask the token endpoint."""
        with Client(self.server.url, verify=self.server.verify) as client:
            return client.post(TOKENS, data=parameters, headers=headers)

    def login(self, person: Person, **more: str) -> requests.Response:
        """Ask for a token as a client."""
        given = {"client_id": person.name, "client_secret": person.secret, **more}
        return self.ask({"grant_type": "client_credentials", **given})

    def token(self, person: Person, **more: str) -> str:
        answer = self.login(person, **more)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    def person(self, name: str = "", kind: str = "service") -> Person:
        """Make a principal that may do nothing yet."""
        name = name or unique_name("p")
        answer = self.admin.post(PRINCIPALS, json={"name": name, "kind": kind})
        assert answer.status_code == 201, answer.text
        return Person(name, answer.json()["client-secret"])

    def key(self, person: Person, scopes: Sequence[str] = ("catalog",), **more: Any) -> dict[str, Any]:
        """Make an API key for a principal; it is the member ``key``."""
        body = {"name": unique_name("k"), "principal": person.name, "scopes": list(scopes), **more}
        answer = self.admin.post(KEYS, json=body)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())
