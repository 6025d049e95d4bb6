"""What is held keeps its place in storage, for itself and for the very table that is registered again."""

import re
from uuid import uuid4

import pytest

from tests.contract.calls import (
    Tabular,
    assert_error,
    create_view_request,
    local,
    make_table,
    namespace_path,
    no_content,
    ok,
)
from tests.contract.holding import (
    drop,
    register,
    undrop,
)
from tests.factories import create_table_request, set_properties, unique_name
from tests.support.process import eventually
from tests.support.server import Client, TestServer


@pytest.fixture
def server(holding: TestServer) -> TestServer:
    return holding


def test_nobody_takes_the_place_of_what_is_held(client: Client, table: Tabular) -> None:
    item = drop(table)
    space = namespace_path(table.namespace)
    other = make_table(client, table.namespace)
    message = re.compile("it overlaps the location of a dropped table or view that is held")
    for location in (item["location"], f"{item['location']}/below"):
        body = create_table_request(unique_name(), location=location)
        move = {"action": "set-location", "location": location}
        view = create_view_request(unique_name(), location=location)
        answers = [
            client.post(f"{space}/tables", json=body),
            client.post(f"{space}/tables", json={**body, "stage-create": True}),
            client.post(f"{space}/views", json=view),
            other.try_commit(move),
        ]
        for answer in answers:
            assert_error(answer, 400, "IllegalArgumentException", message)
    around = item["location"].rpartition("/")[0]
    body = create_table_request(unique_name(), location=around)
    assert_error(client.post(f"{space}/tables", json=body), 400, "IllegalArgumentException")


def test_a_table_is_registered_from_what_is_held(client: Client, table: Tabular) -> None:
    """Twice over, and all of them come and go independently."""
    item = drop(table)
    copy = register(client, table.namespace, item["metadata-location"])
    assert copy.metadata["table-uuid"] == item["uuid"]
    copy.commit(set_properties(a="1"))
    second = drop(copy)
    assert second["location"] == item["location"]
    third = register(client, table.namespace, item["metadata-location"])
    no_content(client.delete(third.path))
    ok(undrop(client, second))
    assert copy.metadata["properties"]["a"] == "1"
    no_content(client.delete(copy.path))
    ok(undrop(client, item))
    assert "a" not in table.metadata["properties"]


def test_a_table_without_uuid(server: TestServer, client: Client, table: Tabular) -> None:
    """As format version 1 allows: then the metadata file tells that it is the very table."""
    assert server.database is not None
    server.database.query("UPDATE tabulars SET uuid = NULL WHERE name = %s", table.name)
    item = drop(table)
    assert item["uuid"] is None
    second = local(item["metadata-location"]).with_name("2.metadata.json")
    second.write_text(local(item["metadata-location"]).read_text())
    body = {"name": "r", "metadata-location": f"file://{second}"}
    answer = client.post(f"{namespace_path(table.namespace)}/register", json=body)
    assert_error(answer, 400, "IllegalArgumentException", re.compile("dropped table or view that is held"))
    copy = register(client, table.namespace, item["metadata-location"])
    assert_error(undrop(client, item), 409, "AlreadyExistsException")
    no_content(client.delete(copy.path))
    ok(undrop(client, item))
    assert table.location == item["metadata-location"]


def test_metadata_of_another_table_at_the_place_of_what_is_held(client: Client, table: Tabular) -> None:
    """Only the very table that is held may be registered there."""
    item = drop(table)
    folder = local(item["metadata-location"]).parent
    text = local(item["metadata-location"]).read_text()
    text = text.replace(f'"table-uuid":"{item["uuid"]}"', f'"table-uuid":"{uuid4()}"')
    forged = folder / f"{unique_name()}.metadata.json"
    forged.write_text(text)
    body = {"name": "forged", "metadata-location": f"file://{forged}"}
    answer = client.post(f"{namespace_path(table.namespace)}/register", json=body)
    assert_error(answer, 400, "IllegalArgumentException", re.compile("dropped table or view that is held"))


def test_superseded_metadata_that_a_held_table_names(client: Client, table: Tabular) -> None:
    item = drop(table)
    copy = register(client, table.namespace, item["metadata-location"])
    properties = {
        "write.metadata.delete-after-commit.enabled": "true",
        "write.metadata.previous-versions-max": "1",
    }
    copy.commit({"action": "set-properties", "updates": properties})
    second = local(copy.location)
    for number in range(3):
        copy.commit(set_properties(n=str(number)))
    eventually(lambda: not second.exists(), 20, "superseded metadata is deleted")
    assert local(item["metadata-location"]).exists()
