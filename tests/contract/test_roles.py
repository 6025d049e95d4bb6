"""Roles: nested, never in circles."""

import pytest

from tests.contract.calls import assert_error, make_namespace, namespace_path, no_content, ok
from tests.contract.rights import GRANTS, ROLES, SERVER, grant, make_role, on_namespace, request, revoke
from tests.factories import unique_name
from tests.support.identities import Identities
from tests.support.server import Client


def members(admin: Client, role: str) -> list[tuple[str, str]]:
    found = ok(admin.get(f"{ROLES}/{role}/members"))["members"]
    return [(kind, each[kind]) for each in found for kind in ("principal", "role") if kind in each]


def test_life_of_a_role(admin: Client, identities: Identities) -> None:
    name = unique_name("r ä/ö")
    made = ok(admin.post(ROLES, json={"name": name}), 201)
    assert (made["name"], made["created-by"]) == (name, "root")
    assert_error(
        admin.post(ROLES, json={"name": name}), 409, "AlreadyExistsException", f"Role already exists: {name}"
    )
    assert made in ok(admin.get(ROLES))["roles"]
    path = f"{ROLES}/{name.replace('/', '%2F').replace(' ', '%20')}"
    person, other = identities.person(), make_role(admin)
    for _ in range(2):  # asked again, nothing happens
        no_content(admin.put(f"{path}/members/principals/{person.name}"))
        no_content(admin.put(f"{path}/members/roles/{other}"))
    found = ok(admin.get(f"{path}/members"))["members"]
    assert [(each.get("principal"), each.get("role")) for each in found] == [
        (person.name, None),
        (None, other),
    ]
    no_content(admin.delete(f"{path}/members/principals/{person.name}"))
    assert_error(
        admin.delete(f"{path}/members/principals/{person.name}"),
        404,
        "NotFoundException",
        f"Principal {person.name} is no member of role {name}",
    )
    no_content(admin.delete(path))
    assert_error(admin.delete(path), 404, "NotFoundException", f"Role does not exist: {name}")
    assert made not in ok(admin.get(ROLES))["roles"]


def test_roles_in_pages(admin: Client) -> None:
    names = {make_role(admin) for _ in range(3)}
    seen, token = [], ""
    while token is not None:
        page = ok(admin.get(ROLES, params={"pageSize": "2", "pageToken": token}))
        seen += [role["name"] for role in page["roles"]]
        token = page["next-page-token"]
    assert seen == sorted(seen)
    assert names <= set(seen)


def test_a_role_gives_its_members_what_it_has(admin: Client, identities: Identities) -> None:
    person, namespace = identities.person(), make_namespace(admin)
    inner = make_role(admin, person.name)
    outer = make_role(admin, f"role:{inner}")
    client = identities.as_(person)
    assert client.get(namespace_path(namespace)).status_code == 404
    assert grant(admin, on_namespace(namespace), f"role:{outer}", "read-metadata") == ["read-metadata"]
    ok(client.get(namespace_path(namespace)))
    no_content(admin.delete(f"{ROLES}/{outer}/members/roles/{inner}"))
    assert client.get(namespace_path(namespace)).status_code == 404
    no_content(admin.put(f"{ROLES}/{outer}/members/principals/{person.name}"))
    ok(client.get(namespace_path(namespace)))
    no_content(admin.delete(f"{ROLES}/{outer}"))
    assert client.get(namespace_path(namespace)).status_code == 404


def test_no_role_is_a_member_of_itself(admin: Client) -> None:
    first = make_role(admin)
    second = make_role(admin, f"role:{first}")
    third = make_role(admin, f"role:{second}")
    for outer, inner in ((first, first), (first, second), (first, third), (second, third)):
        answer = admin.put(f"{ROLES}/{outer}/members/roles/{inner}")
        assert_error(answer, 400, "IllegalArgumentException")
    assert members(admin, first) == []
    assert members(admin, third) == [("role", second)]


def test_a_circle_in_the_database_is_harmless(admin: Client, identities: Identities) -> None:
    person, namespace = identities.person(), make_namespace(admin)
    first = make_role(admin, person.name)
    second = make_role(admin, f"role:{first}")
    database = identities.server.database
    assert database is not None
    database.query(
        "INSERT INTO role_members (role_id, member_role_id, added_by)"
        " SELECT f.id, s.id, 'test' FROM roles f, roles s WHERE f.name = %s AND s.name = %s RETURNING 1",
        first,
        second,
    )
    grant(admin, on_namespace(namespace), f"role:{second}", "list")
    assert identities.as_(person).head(namespace_path(namespace)).status_code == 204
    no_content(admin.delete(f"{ROLES}/{first}"))
    no_content(admin.delete(f"{ROLES}/{second}"))


@pytest.mark.parametrize("name", ["", "x" * 256, " x", "a:b", "a\nb"])
def test_malformed_names(admin: Client, name: str) -> None:
    assert_error(admin.post(ROLES, json={"name": name}), 400, "BadRequestException")


def test_only_who_administers_the_server_manages_roles(admin: Client, identities: Identities) -> None:
    client, role = identities.as_(identities.person()), make_role(admin)
    for answer in (
        client.get(ROLES),
        client.post(ROLES, json={"name": unique_name("r")}),
        client.delete(f"{ROLES}/{role}"),
        client.get(f"{ROLES}/{role}/members"),
        client.put(f"{ROLES}/{role}/members/principals/root"),
    ):
        message = assert_error(answer, 403, "ForbiddenException")
        assert "does not have the privilege administer on the server (error id" in message


def test_nobody_is_locked_out(identities: Identities, admin: Client) -> None:
    """Who administers the server keeps somebody who does."""
    message = "Nobody would be left who administers the server: grant administer to somebody else first"
    others = [
        each["to"]["principal"]
        for each in ok(admin.get(GRANTS, params={"object": "server"}))["grants"]
        if each["privilege"] == "administer" and each["to"].get("principal") not in (None, "root")
    ]
    assert others == [], "other tests take back what they grant"
    answer = admin.post(f"{GRANTS}/revoke", json=request(("administer",), SERVER, "root"))
    assert_error(answer, 409, "ConflictException", message)
    person = identities.person()
    role = make_role(admin, person.name)
    grant(admin, SERVER, f"role:{role}", "administer")
    assert revoke(admin, SERVER, "root", "administer") == ["administer"]
    second = identities.as_(person)
    try:
        assert_error(admin.get(ROLES), 403, "ForbiddenException")
        for refused in (
            second.delete(f"{ROLES}/{role}"),
            second.delete(f"{ROLES}/{role}/members/principals/{person.name}"),
            second.post(f"{GRANTS}/revoke", json=request(("administer",), SERVER, f"role:{role}")),
        ):
            assert_error(refused, 409, "ConflictException", message)
    finally:
        grant(second, SERVER, "root", "administer")
    no_content(admin.delete(f"{ROLES}/{role}"))
