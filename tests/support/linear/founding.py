"""Worlds as a crowd finds them: empty, with a role that may load everything, and a reader who may load nothing yet."""

from collections.abc import Sequence

from tests.contract.calls import make_namespace, ok
from tests.support.identities import Identities
from tests.support.linear.crowd import READER, Crowd
from tests.support.linear.requests import MANAGEMENT, READ, role_of
from tests.support.lines import Listener
from tests.support.server import TestServer


def found(servers: Sequence[TestServer], worlds: int = 4) -> Crowd:
    """Make worlds on nodes that share a database, and a crowd for them."""
    identities = Identities(servers[0])
    person = identities.person(READER)
    # Somebody who has no right at all would not even see that there is a warehouse.
    _grant(identities, make_namespace(identities.admin), principal=READER)
    names = tuple(f"w{number}" for number in range(worlds))
    for name in names:
        ok(identities.admin.post("/v1/namespaces", json={"namespace": [name]}))
        ok(identities.admin.post(f"{MANAGEMENT}/roles", json={"name": role_of(name)}), 201)
        _grant(identities, name, role=role_of(name))
    tokens = {"": identities.token(identities.root), READER: identities.token(person)}
    return Crowd(tuple(map(Listener, servers)), names, tokens)


def _grant(identities: Identities, namespace: str, **to: str) -> None:
    on = {"warehouse": "default", "namespace": [namespace]}
    body = {"privileges": [READ], "object": on, "to": to}
    ok(identities.admin.post(f"{MANAGEMENT}/grants", json=body))
