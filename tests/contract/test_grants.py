"""Grants: given and taken back, bound to objects, seen at once."""

from typing import Any
from uuid import uuid4

import pytest

from tests.contract.calls import (
    assert_error,
    make_namespace,
    make_table,
    make_view,
    namespace_path,
    no_content,
    ok,
    rename_request,
    table_path,
)
from tests.contract.rights import (
    GRANTS,
    SERVER,
    WAREHOUSE,
    grant,
    make_role,
    on_namespace,
    on_table,
    person_with,
    request,
    revoke,
)
from tests.factories import create_table_request
from tests.support.identities import Identities
from tests.support.server import Client


@pytest.fixture
def space(admin: Client) -> str:
    return make_namespace(admin)


def listed(client: Client, **query: str) -> list[dict[str, Any]]:
    return list(ok(client.get(GRANTS, params=query))["grants"])


def test_grant_and_revoke(admin: Client, identities: Identities, space: str) -> None:
    person = identities.person()
    target = on_namespace(space)
    assert grant(admin, target, person.name, "list", "drop") == ["drop", "list"]
    assert grant(admin, target, person.name, "list", "vend") == ["vend"]
    found = listed(admin, object=f"namespace:default/{space}")
    assert sorted(each["privilege"] for each in found) == ["drop", "list", "vend"]
    assert {each["granted-by"] for each in found} == {"root"}
    assert all(each["object"] == {"kind": "namespace", **target} for each in found)
    assert all(each["to"] == {"principal": person.name} for each in found)
    assert listed(admin, principal=person.name) == found
    assert revoke(admin, target, person.name, "list", "read-data") == ["list"]
    assert revoke(admin, target, person.name, "list") == []
    assert sorted(each["privilege"] for each in listed(admin, principal=person.name)) == ["drop", "vend"]


def test_grants_in_pages(admin: Client, identities: Identities, space: str) -> None:
    person = identities.person()
    grant(admin, on_namespace(space), person.name, "list", "drop", "vend")
    seen, token = [], ""
    while token is not None:
        query = {"principal": person.name, "pageSize": "2", "pageToken": token}
        page = ok(admin.get(GRANTS, params=query))
        assert len(page["grants"]) <= 2
        seen += page["grants"]
        token = page["next-page-token"]
    assert seen == listed(admin, principal=person.name)


def test_grants_of_roles_are_effective_for_members(admin: Client, identities: Identities, space: str) -> None:
    person = identities.person()
    inner = make_role(admin, person.name)
    outer = make_role(admin, f"role:{inner}")
    grant(admin, on_namespace(space), f"role:{outer}", "list")
    grant(admin, SERVER, person.name, "vend")
    assert [each["privilege"] for each in listed(admin, principal=person.name)] == ["vend"]
    effective = listed(admin, principal=person.name, effective="true")
    assert [(each["privilege"], each["to"]) for each in effective] == [
        ("list", {"role": outer}),
        ("vend", {"principal": person.name}),
    ]
    assert listed(identities.as_(person), principal=person.name, effective="true") == effective
    assert [each["privilege"] for each in listed(admin, role=outer)] == ["list"]


@pytest.mark.parametrize("level", ["server", "warehouse", "namespace", "table"])
def test_rights_go_down(admin: Client, identities: Identities, space: str, level: str) -> None:
    table = make_table(admin, space)
    targets = {
        "server": SERVER,
        "warehouse": WAREHOUSE,
        "namespace": on_namespace(space),
        "table": on_table(space, table.name),
    }
    person, client = person_with(identities, targets[level])
    assert_error(client.get(table.path), 404, "NoSuchWarehouseException")
    grant(admin, targets[level], person.name, "read-metadata")
    ok(client.get(table.path))
    message = assert_error(client.delete(table.path), 403, "ForbiddenException")
    assert message.startswith(
        f"Principal {person.name} does not have the privilege drop on table {space}.{table.name} (error id "
    )
    grant(admin, targets[level], person.name, "drop")
    no_content(client.delete(table.path))


def test_rights_follow_a_rename(admin: Client, identities: Identities, space: str) -> None:
    table, other = make_table(admin, space), make_namespace(admin)
    _, client = person_with(identities, on_table(space, table.name), "read-metadata")
    no_content(admin.post("/v1/tables/rename", json=rename_request((space, table.name), (other, "u"))))
    assert_error(client.get(table.path), 404, "NoSuchTableException")
    ok(client.get(table_path(other, "u")))
    make_table(admin, space, table.name)
    assert_error(
        client.get(table.path), 404, "NoSuchTableException", f"Table does not exist: {space}.{table.name}"
    )


def test_rights_go_with_their_object(admin: Client, identities: Identities, space: str) -> None:
    table = make_table(admin, space)
    person, client = person_with(identities, on_table(space, table.name), "read-metadata")
    no_content(admin.delete(table.path))
    make_table(admin, space, table.name)
    assert_error(client.get(table.path), 404, "NoSuchTableException")
    assert listed(admin, principal=person.name) == []


def test_creator_owns(admin: Client, identities: Identities, space: str) -> None:
    _, client = person_with(identities, on_namespace(space), "create")
    ok(client.post("/v1/namespaces", json={"namespace": [space, "mine"]}))
    ok(client.post(f"{namespace_path(space, 'mine')}/tables", json=create_table_request("t")))
    table = make_table(client, space)
    view = make_view(client, space)
    other = make_table(admin, space)
    for path in (table.path, view.path, f"{namespace_path(space, 'mine')}/tables/t"):
        ok(client.get(path))
        no_content(client.delete(path))
    assert_error(client.get(other.path), 403, "ForbiddenException")
    no_content(client.delete(namespace_path(space, "mine")))


def test_owner_grants_what_is_his(admin: Client, identities: Identities, space: str) -> None:
    _, client = person_with(identities, on_namespace(space), "create")
    table = make_table(client, space)
    friend, friends = person_with(identities, SERVER)
    grant(client, on_table(space, table.name), friend.name, "read-metadata")
    ok(friends.get(table.path))
    answer = client.post(GRANTS, json=request(("list",), on_namespace(space), friend.name))
    assert_error(answer, 403, "ForbiddenException")


def test_only_what_one_has_can_be_given(admin: Client, identities: Identities, space: str) -> None:
    friend = identities.person()
    _, client = person_with(identities, on_namespace(space), "manage-grants", "read-metadata")
    target = on_table(space, make_table(admin, space).name)
    assert grant(client, target, friend.name, "read-metadata") == ["read-metadata"]
    for path in (GRANTS, f"{GRANTS}/revoke"):
        answer = client.post(path, json=request(("read-metadata", "drop"), target, friend.name))
        message = assert_error(answer, 403, "ForbiddenException")
        assert "does not have the privilege drop on table" in message
    answer = client.post(GRANTS, json=request(("administer",), target, friend.name))
    assert_error(answer, 403, "ForbiddenException")
    assert [each["privilege"] for each in listed(client, object=f"table:default/{space}/{target['table']}")]
    assert_error(client.get(GRANTS, params={"principal": friend.name}), 403, "ForbiddenException")


def test_managing_grants_needs_a_privilege(admin: Client, identities: Identities, space: str) -> None:
    person, client = person_with(identities, on_namespace(space), "read-metadata")
    body = request(("read-metadata",), on_namespace(space), person.name)
    for answer in (
        client.post(GRANTS, json=body),
        client.post(f"{GRANTS}/revoke", json=body),
        client.get(GRANTS, params={"object": f"namespace:default/{space}"}),
        client.get(GRANTS, params={"object": "server"}),
    ):
        assert "manage-grants" in assert_error(answer, 403, "ForbiddenException")


def test_what_may_not_be_seen_cannot_be_granted(admin: Client, identities: Identities, space: str) -> None:
    hidden = make_namespace(admin)
    person, client = person_with(identities, on_namespace(space), "administer")
    answer = client.post(GRANTS, json=request(("list",), on_namespace(hidden), person.name))
    assert_error(answer, 404, "NoSuchNamespaceException", f"Namespace does not exist: {hidden}")
    answer = client.post(GRANTS, json=request(("list",), {"warehouse": "nowhere"}, person.name))
    assert_error(answer, 404, "NoSuchWarehouseException")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"privileges": ["own"], "to": {"role": "r"}}, "Invalid privileges[0] 'own': expected one of list,"),
        ({"privileges": [], "to": {"role": "r"}}, "privileges: "),
        ({"privileges": ["list"], "to": {}}, "Invalid to: expected exactly one of principal, role"),
        ({"privileges": ["list"], "to": {"role": "a", "principal": "b"}}, "Invalid to: expected exactly one"),
        (
            {"privileges": ["list"], "to": {"role": "r"}, "object": {"namespace": ["a"]}},
            "expected a warehouse",
        ),
        (
            {"privileges": ["list"], "to": {"role": "r"}, "object": {"warehouse": "default", "table": "t"}},
            "Invalid object: expected table or view, and a namespace with it",
        ),
    ],
)
def test_malformed_grants(admin: Client, body: dict[str, Any], message: str) -> None:
    assert message in assert_error(admin.post(GRANTS, json=body), 400, "BadRequestException")


@pytest.mark.parametrize(
    "query", [{}, {"principal": "a", "role": "b"}, {"object": "table"}, {"object": "job:1"}]
)
def test_malformed_listings(admin: Client, query: dict[str, str]) -> None:
    assert_error(admin.get(GRANTS, params=query), 400, "BadRequestException")


def test_nobody_to_grant_to(admin: Client, space: str) -> None:
    for to in ("nobody-of-this-name", "role:no-role-of-this-name"):
        answer = admin.post(GRANTS, json=request(("list",), on_namespace(space), to))
        assert_error(answer, 404, "NotFoundException")


def test_repeated_drop_by_the_owner(identities: Identities, space: str) -> None:
    """What is gone by the first request is gone for the second one, and its key says so."""
    _, client = person_with(identities, on_namespace(space), "create")
    table = make_table(client, space)
    headers = {"Idempotency-Key": str(uuid4())}
    for _ in range(2):
        no_content(client.delete(table.path, headers=headers))
    assert_error(client.delete(table.path), 404, "NoSuchTableException")


def test_repeated_request_is_authorized_again(admin: Client, identities: Identities, space: str) -> None:
    person, client = person_with(identities, on_namespace(space), "create")
    headers = {"Idempotency-Key": str(uuid4())}
    path, body = f"{namespace_path(space)}/tables", create_table_request("t")
    ok(client.post(path, json=body, headers=headers))
    ok(client.post(path, json=body, headers=headers))
    revoke(admin, on_namespace(space), person.name, "create")
    assert_error(client.post(path, json=body, headers=headers), 403, "ForbiddenException")


def test_undropped_table_keeps_owner_and_grants(admin: Client, identities: Identities, space: str) -> None:
    reader, reading = person_with(identities, SERVER)
    _, client = person_with(identities, on_namespace(space), "create")
    hold = {"soft-delete": {"enabled": True, "hold-seconds": 3600}}
    ok(admin.patch("/management/v1/warehouses/default", json=hold))
    try:
        table = make_table(client, space)
        grant(client, on_table(space, table.name), reader.name, "read-metadata")
        no_content(client.delete(table.path))
        dropped = ok(admin.get("/management/v1/warehouses/default/dropped"))["dropped"]
        (item,) = (each for each in dropped if each["name"] == table.name)
        ok(admin.post(f"/management/v1/warehouses/default/dropped/{item['id']}/undrop"))
    finally:
        ok(admin.patch("/management/v1/warehouses/default", json={"soft-delete": {"enabled": False}}))
    ok(reading.get(table.path))
    no_content(client.delete(table.path))
