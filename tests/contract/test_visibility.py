"""What may not be seen is not there: in lists, by name, and in what others are told."""

import json

import pytest

from tests.contract.calls import (
    assert_error,
    local,
    make_namespace,
    make_table,
    make_view,
    namespace_path,
    no_content,
    ok,
    view_path,
)
from tests.contract.rights import (
    Object,
    grant,
    on_namespace,
    on_table,
    on_view,
    person_with,
)
from tests.factories import create_table_request, set_properties, unique_name
from tests.support.identities import Identities
from tests.support.process import eventually
from tests.support.server import Client, TestServer


@pytest.fixture
def space(admin: Client) -> str:
    return make_namespace(admin)


@pytest.mark.parametrize("kind", ["tables", "views", "namespaces"])
def test_listings_show_what_may_be_seen(admin: Client, identities: Identities, space: str, kind: str) -> None:
    names = [f"x{number}" for number in range(6)]
    make = {"tables": make_table, "views": make_view}
    for name in names:
        if kind == "namespaces":
            ok(admin.post("/v1/namespaces", json={"namespace": [space, name]}))
        else:
            make[kind](admin, space, name)

    def target(name: str) -> Object:
        if kind == "namespaces":
            return on_namespace(space, name)
        return on_table(space, name) if kind == "tables" else on_view(space, name)

    def pages(client: Client) -> list[list[str]]:
        path = "/v1/namespaces" if kind == "namespaces" else f"{namespace_path(space)}/{kind}"
        found, token = [], ""
        while token is not None:
            page = ok(client.get(path, params={"parent": space, "pageSize": "2", "pageToken": token}))
            items = page["namespaces"] if kind == "namespaces" else page["identifiers"]
            found.append([item[-1] if kind == "namespaces" else item["name"] for item in items])
            token = page["next-page-token"]
        return found

    person, client = person_with(identities, target(names[1]), "vend")
    assert pages(client) == [["x1"]]
    for name in ("x2", "x5"):
        grant(admin, target(name), person.name, "list")
    assert pages(client) == [["x1", "x2"], ["x5"]]
    grant(admin, on_namespace(space), person.name, "list")
    assert pages(client) == [names[:2], names[2:4], names[4:]]
    assert pages(admin) == pages(client)


def test_namespaces_above_something_visible_are_visible(
    admin: Client, identities: Identities, space: str
) -> None:
    make_namespace(admin)
    for levels in ([space, "a"], [space, "b"], [space, "a", "c"]):
        ok(admin.post("/v1/namespaces", json={"namespace": levels}))
    deep = namespace_path(space, "a", "c")
    ok(admin.post(f"{deep}/tables", json=create_table_request("t")))
    target = {**on_namespace(space, "a", "c"), "table": "t"}
    _, client = person_with(identities, target, "list")
    assert ok(client.get("/v1/namespaces"))["namespaces"] == [[space]]
    for parent, children in ((space, [[space, "a"]]), (f"{space}\x1fa", [[space, "a", "c"]])):
        assert ok(client.get("/v1/namespaces", params={"parent": parent}))["namespaces"] == children
    assert ok(client.get("/v1/namespaces", params={"parent": f"{space}\x1fa\x1fc"}))["namespaces"] == []
    assert ok(client.get(f"{namespace_path(space)}/tables"))["identifiers"] == []
    assert [each["name"] for each in ok(client.get(f"{deep}/tables"))["identifiers"]] == ["t"]
    for levels in ((space,), (space, "a"), (space, "a", "c")):
        no_content(client.head(namespace_path(*levels)))
        assert_error(client.get(namespace_path(*levels)), 403, "ForbiddenException")
    for path in (namespace_path(space, "b"), f"{namespace_path(space, 'b')}/tables"):
        assert_error(client.get(path), 404, "NoSuchNamespaceException")
    hidden = client.get("/v1/namespaces", params={"parent": f"{space}\x1fb"})
    assert_error(hidden, 404, "NoSuchNamespaceException", f"Namespace does not exist: {space}.b")


def test_warehouses_in_which_nothing_is_visible(admin: Client, identities: Identities, space: str) -> None:
    client = identities.as_(identities.person())
    message = "Warehouse does not exist: default"
    for path in ("/v1/default/namespaces", "/v1/config?warehouse=default"):
        assert_error(client.get(path), 404, "NoSuchWarehouseException", message)
    assert ok(client.get("/management/v1/warehouses"))["warehouses"] == []
    ok(client.get("/v1/config"))
    _, other = person_with(identities, on_namespace(space), "list")
    assert [each["name"] for each in ok(other.get("/management/v1/warehouses"))["warehouses"]] == ["default"]
    ok(other.get("/v1/config?warehouse=default"))
    assert_error(other.get("/management/v1/warehouses/default"), 403, "ForbiddenException")


def test_functions_are_seen_with_their_namespace(admin: Client, identities: Identities, space: str) -> None:
    table = make_table(admin, space)
    _, client = person_with(identities, on_table(space, table.name), "read-metadata")
    path = f"{namespace_path(space)}/functions"
    assert ok(client.get(path))["identifiers"] == []
    assert_error(client.get(f"{path}/f"), 404, "NoSuchFunctionException")
    assert_error(
        client.get(f"{namespace_path(unique_name('no'))}/functions/f"), 404, "NoSuchNamespaceException"
    )


def test_views_and_tables_hide_alike(admin: Client, identities: Identities, space: str) -> None:
    table, view = make_table(admin, space), make_view(admin, space)
    _, client = person_with(identities, on_table(space, table.name), "administer")
    hidden = assert_error(client.get(view.path), 404, "NoSuchViewException")
    missing = assert_error(client.get(view_path(space, "none")), 404, "NoSuchViewException")
    assert hidden.replace(view.name, "none") == missing


def test_a_write_path_into_a_hidden_table_deletes_nothing(
    admin: Client, identities: Identities, space: str, secured: TestServer
) -> None:
    """Whoever writes metadata himself may say that files of others were his metadata once."""
    hidden = make_namespace(admin)
    victim = make_table(admin, hidden)
    place = victim.metadata["location"]
    (old,) = [name for name in victim.files() if name.endswith(".json")]
    old = f"{place}/metadata/{old}"
    ok(victim.try_commit(set_properties(a="1")))  # the old file is in the log, and nobody's current one
    _, client = person_with(identities, on_namespace(space), "create")
    mine = make_table(client, space)
    metadata = mine.metadata
    metadata["metadata-log"] = [{"metadata-file": old, "timestamp-ms": metadata["last-updated-ms"]}]
    metadata["properties"] = {
        "write.metadata.delete-after-commit.enabled": "true",
        "write.metadata.previous-versions-max": "1",
        "write.data.path": place,
    }
    crafted = f"{metadata['location']}/metadata/00001-crafted.metadata.json"
    local(crafted).write_text(json.dumps(metadata))
    body = {"name": mine.name, "metadata-location": crafted, "overwrite": True}
    ok(client.post(f"{namespace_path(space)}/register", json=body))
    for number in range(3):
        ok(mine.try_commit(set_properties(n=str(number))))
    ended = "SELECT 1 FROM jobs WHERE kind = 'delete-superseded-metadata' AND status <> 'completed'"
    database = secured.database
    assert database is not None
    eventually(lambda: not database.query(ended), 20, "superseded metadata is gone")
    assert local(old).exists()
    assert not local(crafted).exists()


def test_location_of_a_hidden_table_is_not_told(admin: Client, identities: Identities, space: str) -> None:
    hidden = make_table(admin, make_namespace(admin)).metadata["location"]
    _, client = person_with(identities, on_namespace(space), "create")
    above = hidden.rsplit("/", 1)[0]
    answer = client.post(
        f"{namespace_path(space)}/tables", json=create_table_request("t", location=f"{above}")
    )
    message = assert_error(answer, 400, "IllegalArgumentException")
    assert message == f"Invalid location {above!r}: it overlaps the location of another table or view"
