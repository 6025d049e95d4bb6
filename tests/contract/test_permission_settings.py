"""What settings let everybody do, and what they never do."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from tests.conftest import MakeServer
from tests.contract.calls import assert_error, make_namespace, make_table, namespace_path, ok
from tests.contract.rights import GRANTS, ROLES, SERVER, grant, request
from tests.factories import commit_request, set_properties, unique_name
from tests.support.identities import KEYS, PRINCIPALS, Identities, secured_settings
from tests.support.server import Client

People = Callable[..., AbstractContextManager[Identities]]
READ, WRITE, MANAGE = {"read"}, {"read", "write"}, {"read", "write", "manage"}


@pytest.fixture(scope="module")
def people(make_server: MakeServer) -> People:
    @contextmanager
    def make(**settings: object) -> Iterator[Identities]:
        with make_server(settings=secured_settings(**settings)) as running:
            yield Identities(running)

    return make


def what_works(root: Client, client: Client) -> set[str]:
    """Return which of the three levels a principal without any grant has."""
    space = make_namespace(root)
    table = make_table(root, space)
    answers = {
        "read": client.get(table.path),
        "write": client.post(table.path, json=commit_request(set_properties(by="me"))),
        "manage": client.delete(table.path),
    }
    assert {answer.status_code for answer in answers.values()} <= {200, 204, 403, 404}
    return {level for level, answer in answers.items() if answer.ok}


def assert_no_security(client: Client, name: str) -> None:
    """What is about security is asked of those only to whom it was granted."""
    answer = client.post(GRANTS, json=request(("administer",), SERVER, name))
    assert_error(answer, 403, "ForbiddenException")
    for path in (ROLES, PRINCIPALS, "/management/v1/audit"):
        assert_error(client.get(path), 403, "ForbiddenException")
    assert_error(client.post(KEYS, json={"name": "k"}), 403, "ForbiddenException")
    assert_error(client.post(PRINCIPALS, json={"name": unique_name("p")}), 403, "ForbiddenException")


@pytest.mark.parametrize(
    ("level", "works"), [("none", set()), ("read", READ), ("write", WRITE), ("manage", MANAGE)]
)
def test_default_permission(people: People, level: str, works: set[str]) -> None:
    with people(auth__acl__default_permission=level) as here:
        person = here.person()
        client = here.as_(person)
        assert what_works(here.admin, client) == works
        if level == "none":
            assert_error(client.get("/v1/namespaces"), 404, "NoSuchWarehouseException")
        else:
            assert ok(client.get("/v1/namespaces")) == ok(here.admin.get("/v1/namespaces"))
        assert_no_security(client, person.name)


def test_without_privileges(people: People) -> None:
    with people(auth__acl__enabled=False) as here:
        person = here.person()
        client = here.as_(person)
        assert what_works(here.admin, client) == MANAGE
        assert [each["name"] for each in ok(client.get("/management/v1/warehouses"))["warehouses"]] == [
            "default"
        ]
        ok(client.get("/management/v1/jobs"))
        assert_no_security(client, person.name)
        assert here.with_token("nonsense").get("/v1/config").status_code == 401


def test_scopes_of_keys_grant_as_in_the_go_version(people: People) -> None:
    with people(compat__go_scopes=True) as here:
        person = here.person()
        for scope, works in (("read", READ), ("write", WRITE), ("manage", MANAGE), ("catalog", set())):
            client = here.with_token(here.key(person, [scope])["key"])
            assert what_works(here.admin, client) == works, scope
            assert_no_security(client, person.name)
        # A scope that somebody asks for itself is no grant.
        asked = here.with_token(here.token(person, scope="manage"))
        assert what_works(here.admin, asked) == set()


def test_scopes_only_narrow(people: People) -> None:
    with people() as here:
        person = here.person()
        grant(here.admin, SERVER, person.name, "administer")
        for scope, works in (("read", READ), ("write", WRITE), ("manage", MANAGE), ("catalog", MANAGE)):
            client = here.with_token(here.key(person, [scope])["key"])
            assert what_works(here.admin, client) == works, scope
        client = here.with_token(here.key(person, ["read"])["key"])
        message = assert_error(
            client.post("/v1/namespaces", json={"namespace": ["x"]}), 403, "ForbiddenException"
        )
        assert message.startswith(
            f"The scopes of the credential (read) do not let principal {person.name} use create on warehouse default"
            " (error id "
        )
        signing = here.with_token(here.key(person, ["sign"])["key"])
        space = make_namespace(here.admin)
        for path in ("/v1/namespaces", namespace_path(space), f"{namespace_path(space)}/tables"):
            assert_error(signing.get(path), 403, "ForbiddenException")
