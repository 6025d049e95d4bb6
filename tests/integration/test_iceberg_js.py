"""Definitions through iceberg-js."""

from typing import Any

import pytest

from tests.clients.js import JavaScript
from tests.clients.program import ClientError
from tests.factories import create_table_request, set_properties, unique_name
from tests.support.process import eventually
from tests.support.server import TestServer
from tests.support.warehouses import same_place

FOREIGN = ["a b", "a/b", "a%2Fb", "größe 😀", "a+b&c=d?e#f", "'\""]


@pytest.fixture
def space(js: JavaScript) -> dict[str, list[str]]:
    """A namespace of this test, as the client names it."""
    space = {"namespace": [unique_name("ns")]}
    js.call("createNamespace", space, {"properties": {"owner": "ada"}})
    return space


@pytest.fixture
def table(js: JavaScript, space: dict[str, Any]) -> dict[str, Any]:
    """A table with ``id`` and ``name``."""
    js.call("createTable", space, create_table_request("t", properties={"k": "v"}))
    return {**space, "name": "t"}


def refused(js: JavaScript, *call: object) -> tuple[int, str]:
    """Return status and type of the error that a call is answered with."""
    with pytest.raises(ClientError) as caught:
        js.call(*call)
    assert caught.value.details["name"] == "IcebergError"
    return caught.value.details["status"], caught.value.details["type"]


def test_configuration(js: JavaScript) -> None:
    config = js.call("loadConfig")
    assert "POST /v1/{prefix}/transactions/commit" in config["endpoints"]


def test_life_of_a_namespace(js: JavaScript, space: dict[str, Any]) -> None:
    assert js.call("namespaceExists", space) is True
    assert js.call("loadNamespaceMetadata", space)["properties"]["owner"] == "ada"
    changed = js.call(
        "updateNamespaceProperties", space, {"updates": {"a": "1"}, "removals": ["owner", "absent"]}
    )
    assert changed == {"updated": ["a"], "removed": ["owner"], "missing": ["absent"]}
    assert refused(js, "createNamespace", space) == (409, "AlreadyExistsException")
    js.call("createNamespaceIfNotExists", space)

    js.call("dropNamespace", space)
    assert js.call("namespaceExists", space) is False
    assert refused(js, "dropNamespace", space) == (404, "NoSuchNamespaceException")


def test_nested_namespaces_page_by_page(js: JavaScript, space: dict[str, Any]) -> None:
    inner = [[*space["namespace"], f"n{number}"] for number in range(5)]
    for levels in inner:
        js.call("createNamespace", {"namespace": levels})
    found, options = [], {"parent": space, "pageSize": 2}
    while True:
        page = js.call("listNamespaces", options)
        found += [each["namespace"] for each in page["namespaces"]]
        if not page.get("nextPageToken"):
            break
        options = {**options, "pageToken": page["nextPageToken"]}
    assert found == inner
    assert refused(js, "dropNamespace", space) == (409, "NamespaceNotEmptyException")


def test_life_of_a_table(js: JavaScript, space: dict[str, Any], table: dict[str, Any]) -> None:
    assert js.call("tableExists", table) is True
    assert refused(js, "createTable", space, create_table_request("t")) == (409, "AlreadyExistsException")
    assert js.call("createTableIfNotExists", space, create_table_request("t"))["properties"]["k"] == "v"
    assert js.call("listTables", space)["identifiers"] == [table]

    renamed = {**table, "name": "u"}
    js.call("renameTable", {"source": table, "destination": renamed})
    assert js.call("tableExists", table) is False
    assert [field["name"] for field in js.call("loadTable", renamed)["schemas"][0]["fields"]] == [
        "id",
        "name",
    ]

    js.call("dropTable", renamed)
    assert refused(js, "loadTable", renamed) == (404, "NoSuchTableException")


def test_commit(js: JavaScript, table: dict[str, Any]) -> None:
    uuid = js.call("loadTable", table)["table-uuid"]
    schema = {"type": "struct", "fields": [{"id": 1, "name": "key", "type": "long", "required": True}]}
    updates = [{"action": "add-schema", "schema": schema}, {"action": "set-current-schema", "schema-id": -1}]
    requirements = [
        {"type": "assert-table-uuid", "uuid": uuid},
        {"type": "assert-current-schema-id", "current-schema-id": 0},
    ]
    changed = js.call("commitTable", table, {"requirements": requirements, "updates": updates})["metadata"]
    assert changed["current-schema-id"] == 1
    again = ("commitTable", table, {"requirements": requirements, "updates": [set_properties(late="yes")]})
    assert refused(js, *again) == (409, "CommitFailedException")
    assert js.call("loadTable", table) == changed


def test_unchanged_table_is_not_sent_again(js: JavaScript, table: dict[str, Any]) -> None:
    loaded = js.call("loadTableResult", table)
    assert js.call("loadTable", table, {"ifNoneMatch": loaded["etag"]}) is None
    js.call("updateTable", table, {"requirements": [], "updates": [set_properties(k="w")]})
    assert js.call("loadTable", table, {"ifNoneMatch": loaded["etag"]})["properties"]["k"] == "w"


def test_register(js: JavaScript, space: dict[str, Any], table: dict[str, Any]) -> None:
    loaded = js.call("loadTableResult", table)
    js.call("dropTable", table)
    registered = js.call(
        "registerTable", space, {"name": "again", "metadata-location": loaded["metadata-location"]}
    )
    assert registered["table-uuid"] == loaded["metadata"]["table-uuid"]


def test_purge(js: JavaScript, table: dict[str, Any], any_server: TestServer) -> None:
    file = same_place(js.call("loadTableResult", table)["metadata-location"])
    assert file in any_server.warehouse.files()
    js.call("dropTable", table, {"purge": True})
    eventually(lambda: file not in any_server.warehouse.files(), 20, "the metadata file is purged")


@pytest.mark.parametrize("name", FOREIGN)
def test_foreign_names(js: JavaScript, space: dict[str, Any], name: str) -> None:
    levels = {"namespace": [*space["namespace"], name]}
    js.call("createNamespace", levels)
    js.call("createTable", levels, create_table_request(name))
    assert js.call("listNamespaces", {"parent": space})["namespaces"] == [levels]
    assert js.call("listTables", levels)["identifiers"] == [{**levels, "name": name}]
    assert js.call("loadTable", {**levels, "name": name})["format-version"] == 2
    js.call("dropTable", {**levels, "name": name})
    js.call("dropNamespace", levels)
