"""Stage-create: worked out, not stored; the table comes into being by a commit."""

from typing import Any

import pytest

from tests.contract.bodies import ASSERT_CREATE, append, assert_uuid, staged_updates
from tests.contract.calls import (
    Tabular,
    assert_error,
    local,
    make_table,
    namespace_path,
    no_content,
    ok,
    table_path,
)
from tests.factories import create_table_request, schema, unique_name
from tests.support.server import Client, TestServer


def stage(client: Client, namespace: str, name: str, **more: Any) -> dict[str, Any]:
    body = create_table_request(name, **{"stage-create": True}, **more)
    return ok(client.post(f"{namespace_path(namespace)}/tables", json=body))


@pytest.fixture
def staged(client: Client, namespace: str) -> Tabular:
    """The name of a table that does not exist yet."""
    name = unique_name("t")
    return Tabular(client, namespace, name, table_path(namespace, name))


def test_nothing_is_stored(client: Client, namespace: str, staged: Tabular) -> None:
    answer = stage(client, namespace, staged.name)
    assert answer["metadata-location"] is None
    assert answer["config"] == {}
    metadata = answer["metadata"]
    assert metadata["table-uuid"]
    assert not local(metadata["location"]).exists()
    assert_error(client.get(staged.path), 404, "NoSuchTableException")
    assert ok(client.get(f"{namespace_path(namespace)}/tables"))["identifiers"] == []
    no_content(client.delete(namespace_path(namespace)))


def test_commit_creates_what_was_staged(client: Client, namespace: str, staged: Tabular) -> None:
    plan = stage(client, namespace, staged.name, properties={"a": "1"})["metadata"]
    created = staged.commit(*staged_updates(plan), *append(5, 1), requirements=[ASSERT_CREATE])
    assert staged.metadata == created
    for member in ("table-uuid", "location", "format-version", "schemas", "partition-specs", "properties"):
        assert created[member] == plan[member], member
    assert created["current-snapshot-id"] == 5
    assert created["metadata-log"] == []
    assert staged.location.rpartition("/")[2].startswith("00000-")


def test_commit_without_staging_fills_in_the_rest(staged: Tabular) -> None:
    created = staged.commit({"action": "add-schema", "schema": schema()}, requirements=[ASSERT_CREATE])
    assert created["partition-specs"] == [{"spec-id": 0, "fields": []}]
    assert f"/{staged.namespace}/{staged.name}-" in created["location"]


def test_commit_without_a_schema(staged: Tabular) -> None:
    answer = staged.try_commit(requirements=[ASSERT_CREATE])
    assert answer.status_code == 400, answer.text
    assert_error(staged.client.get(staged.path), 404, "NoSuchTableException")


def test_stage_on_a_taken_name(client: Client, table: Tabular, view: Tabular) -> None:
    for taken, title in ((table, "Table"), (view, "View with same name")):
        body = create_table_request(taken.name, **{"stage-create": True})
        answer = client.post(f"{namespace_path(taken.namespace)}/tables", json=body)
        message = f"{title} already exists: {taken.namespace}.{taken.name}"
        assert_error(answer, 409, "AlreadyExistsException", message)


def test_create_commit_on_a_table(client: Client, namespace: str, staged: Tabular) -> None:
    plan = stage(client, namespace, staged.name)["metadata"]
    other = make_table(client, namespace, staged.name)
    answer = staged.try_commit(*staged_updates(plan), requirements=[ASSERT_CREATE])
    assert_error(answer, 409, "CommitFailedException", "Requirement failed: table already exists")
    assert other.metadata["table-uuid"] != plan["table-uuid"]
    assert not local(plan["location"]).exists()


def test_create_commit_on_a_view(view: Tabular) -> None:
    path = view.path.replace("/views/", "/tables/")
    body = {"requirements": [ASSERT_CREATE], "updates": [{"action": "add-schema", "schema": schema()}]}
    message = f"View with same name already exists: {view.namespace}.{view.name}"
    assert_error(view.client.post(path, json=body), 409, "AlreadyExistsException", message)


def test_create_commit_in_a_missing_namespace(client: Client) -> None:
    body = {"requirements": [ASSERT_CREATE], "updates": [{"action": "add-schema", "schema": schema()}]}
    name = unique_name("none")
    answer = client.post(table_path(name, "t"), json=body)
    assert_error(answer, 404, "NoSuchNamespaceException", f"Namespace does not exist: {name}")


def test_assert_create_goes_alone(staged: Tabular) -> None:
    for others in ([assert_uuid("x")], [ASSERT_CREATE]):
        answer = staged.try_commit(requirements=[ASSERT_CREATE, *others])
        assert_error(answer, 400, "IllegalArgumentException")


def test_the_same_uuid_twice(client: Client, namespace: str, staged: Tabular) -> None:
    plan = stage(client, namespace, staged.name)["metadata"]
    staged.commit(*staged_updates(plan), requirements=[ASSERT_CREATE])
    name = unique_name("copy")
    copy = Tabular(client, namespace, name, table_path(namespace, name))
    updates = [update for update in staged_updates(plan) if update["action"] != "set-location"]
    answer = copy.try_commit(*updates, requirements=[ASSERT_CREATE])
    assert_error(answer, 409, "AlreadyExistsException")
    parent = local(plan["location"]).parent
    assert [path.name for path in parent.iterdir() if name in path.name and list(path.rglob("*.json"))] == []


def test_location_policy_holds_for_both_steps(
    client: Client, namespace: str, staged: Tabular, server: TestServer
) -> None:
    body = create_table_request(staged.name, location="file:///etc/x", **{"stage-create": True})
    answer = client.post(f"{namespace_path(namespace)}/tables", json=body)
    assert_error(answer, 400, "IllegalArgumentException")
    plan = stage(client, namespace, staged.name)["metadata"]
    plan["location"] = f"{server.warehouse.location}-sibling/x"
    assert_error(
        staged.try_commit(*staged_updates(plan), requirements=[ASSERT_CREATE]),
        400,
        "IllegalArgumentException",
    )
    assert not local(plan["location"]).exists()
