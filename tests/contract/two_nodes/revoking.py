"""What lets somebody in, and how it is given and taken away, by the first administrator at one node."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import requests

from tests.contract.calls import make_namespace, no_content, ok
from tests.contract.guarded import TOKENS, Guard
from tests.contract.permissions.seed import Seed
from tests.factories import unique_name
from tests.support.postgres import DatabaseAddress
from tests.support.server import Client

MANAGEMENT = "/management/v1"
Headers = Mapping[str, str]


class Pass(NamedTuple):
    """``headers`` do not let in before ``give`` and after ``take``: then the status is ``refused``."""

    headers: Headers
    give: Callable[[], object]
    take: Callable[[], object]
    refused: int


def nothing() -> None:
    """It lets in from the beginning."""


class Office:
    """The first administrator at one node, and a namespace that nobody else may see by himself."""

    def __init__(self, client: Client, guard: Guard, database: DatabaseAddress) -> None:
        self.client, self.guard = client, guard
        self.seed = Seed(database)
        client.headers["Authorization"] = f"Bearer {guard.login(client)}"
        self.namespace = make_namespace(client)
        self.path = f"/v1/namespaces/{self.namespace}"
        self.on = {"warehouse": "default", "namespace": [self.namespace]}

    def post(self, path: str, body: Any, code: int = 201) -> dict[str, Any]:
        return ok(self.client.post(f"{MANAGEMENT}{path}", json=body), code)

    def principal(self) -> dict[str, Any]:
        """Return a new principal with its secret; it may do nothing yet."""
        return self.post("/principals", {"name": unique_name("somebody")})

    def named(self) -> str:
        """The name of a principal without a secret, which takes time to make."""
        name = unique_name("somebody")
        self.seed.principal(name)
        return name

    def reader(self) -> dict[str, Any]:
        """The same, but it may read the namespace."""
        principal = self.principal()
        self.grant(principal=principal["name"])()
        return principal

    def named_reader(self) -> str:
        name = self.named()
        self.grant(principal=name)()
        return name

    def role(self) -> str:
        return str(self.post("/roles", {"name": unique_name("role")})["name"])

    def grant(self, **to: str) -> Callable[[], object]:
        return lambda: self._change_grants("/grants", to)

    def revoke_grant(self, **to: str) -> Callable[[], object]:
        return lambda: self._change_grants("/grants/revoke", to)

    def _change_grants(self, path: str, to: dict[str, str]) -> None:
        body = {"privileges": ["read-metadata"], "object": self.on, "to": to}
        assert self.post(path, body, 200)["privileges"] == ["read-metadata"]

    def join(self, role: str, member: str) -> Callable[[], object]:
        """``member`` is ``principals/NAME`` or ``roles/NAME``."""
        path = f"{MANAGEMENT}/roles/{role}/members/{member}"
        return lambda: no_content(self.client.put(path))

    def leave(self, role: str, member: str) -> Callable[[], object]:
        return self.delete(f"/roles/{role}/members/{member}")

    def key(self, principal: str) -> dict[str, Any]:
        return self.post("/keys", {"name": unique_name("key"), "principal": principal})

    def with_key(self, principal: str) -> Headers:
        return {"X-API-Key": self.key(principal)["key"]}

    def with_token(self, principal: dict[str, Any]) -> Headers:
        form = {
            "grant_type": "client_credentials",
            "client_id": principal["name"],
            "client_secret": principal["client-secret"],
        }
        answer = requests.post(self.client.url + TOKENS, data=form, timeout=30)
        return {"Authorization": f"Bearer {ok(answer)['access_token']}"}

    def delete(self, path: str) -> Callable[[], object]:
        return lambda: no_content(self.client.delete(f"{MANAGEMENT}{path}"))

    def disable(self, name: str, disabled: bool) -> Callable[[], object]:
        path = f"{MANAGEMENT}/principals/{name}"
        return lambda: ok(self.client.patch(path, json={"disabled": disabled}))

    def revoke(self, **what: str) -> Callable[[], object]:
        return lambda: no_content(self.client.post(f"{MANAGEMENT}/tokens/revoke", json=what))


def grant(office: Office) -> Pass:
    name = office.named()
    return Pass(office.with_key(name), office.grant(principal=name), office.revoke_grant(principal=name), 404)


def grant_to_a_role(office: Office) -> Pass:
    name, role = office.named(), office.role()
    office.join(role, f"principals/{name}")()
    return Pass(office.with_key(name), office.grant(role=role), office.revoke_grant(role=role), 404)


def membership(office: Office) -> Pass:
    principal, role = office.principal(), office.role()
    member = f"principals/{principal['name']}"
    office.grant(role=role)()
    return Pass(office.with_token(principal), office.join(role, member), office.leave(role, member), 404)


def membership_of_a_role(office: Office) -> Pass:
    name, outer, inner = office.named(), office.role(), office.role()
    office.grant(role=outer)()
    office.join(inner, f"principals/{name}")()
    member = f"roles/{inner}"
    return Pass(office.with_key(name), office.join(outer, member), office.leave(outer, member), 404)


def role(office: Office) -> Pass:
    """A role that is deleted with all that it gave."""
    name, made = office.named(), office.role()
    office.grant(role=made)()
    office.join(made, f"principals/{name}")()
    return Pass(office.with_key(name), nothing, office.delete(f"/roles/{made}"), 404)


def key(office: Office) -> Pass:
    made = office.key(office.named_reader())
    return Pass({"X-API-Key": made["key"]}, nothing, office.delete(f"/keys/{made['id']}"), 401)


def key_of_a_token(office: Office) -> Pass:
    """A key shown as a bearer token."""
    made = office.key(office.named_reader())
    headers = {"Authorization": f"Bearer {made['key']}"}
    return Pass(headers, nothing, office.delete(f"/keys/{made['id']}"), 401)


def token(office: Office) -> Pass:
    headers = office.with_token(office.reader())
    text = headers["Authorization"].removeprefix("Bearer ")
    return Pass(headers, nothing, office.revoke(token=text), 401)


def all_tokens(office: Office) -> Pass:
    principal = office.reader()
    return Pass(office.with_token(principal), nothing, office.revoke(principal=principal["name"]), 401)


def secret(office: Office) -> Pass:
    """A token that was made with a secret ends with the secret."""
    principal = office.reader()
    path = f"{MANAGEMENT}/principals/{principal['name']}/rotate"
    return Pass(
        office.with_token(principal),
        nothing,
        lambda: ok(office.client.post(path, json={"old-valid-for": "0h"})),
        401,
    )


def disabled_with_key(office: Office) -> Pass:
    name = office.named_reader()
    headers = office.with_key(name)
    office.disable(name, True)()
    return Pass(headers, office.disable(name, False), office.disable(name, True), 401)


def disabled_with_token(office: Office) -> Pass:
    principal = office.reader()
    headers, name = office.with_token(principal), principal["name"]
    office.disable(name, True)()
    return Pass(headers, office.disable(name, False), office.disable(name, True), 401)


def principal_with_key(office: Office) -> Pass:
    name = office.named_reader()
    return Pass(office.with_key(name), nothing, office.delete(f"/principals/{name}"), 401)


def principal_with_token(office: Office) -> Pass:
    principal = office.reader()
    return Pass(office.with_token(principal), nothing, office.delete(f"/principals/{principal['name']}"), 401)


Make = Callable[[Office], Pass]
REPEATED: list[Make] = [
    grant,
    grant_to_a_role,
    membership,
    membership_of_a_role,
    disabled_with_key,
    disabled_with_token,
]
FINAL: list[Make] = [
    role,
    key,
    key_of_a_token,
    token,
    all_tokens,
    secret,
    principal_with_key,
    principal_with_token,
]
