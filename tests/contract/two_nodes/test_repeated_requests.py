"""One request under one Idempotency-Key at two nodes at once: one effect, and the same answer from both."""

from collections.abc import Callable
from typing import Any, NamedTuple
from uuid import uuid4

import pytest

from tests.contract.calls import (
    create_view_request,
    make_table,
    make_view,
    namespace_path,
    no_content,
    rename_request,
    table_path,
)
from tests.contract.two_nodes.meetings import Request, Way, meet
from tests.factories import commit_request, create_table_request, schema, set_properties, unique_name
from tests.support.nodes import Nodes
from tests.support.server import Client

COUNT = "SELECT count(*) FROM changes WHERE request_id = %s"


class Case(NamedTuple):
    """A mutation: ``changes`` rows it leaves in the log."""

    method: str
    path: str
    body: Any = None
    changes: int = 1

    def under(self, headers: dict[str, str]) -> Request:
        return lambda client: client.request(self.method, self.path, json=self.body, headers=headers)


Make = Callable[[Client, str], Case]


def create_namespace(client: Client, namespace: str) -> Case:
    return Case("POST", "/v1/namespaces", {"namespace": [namespace, "x"]})


def update_properties(client: Client, namespace: str) -> Case:
    return Case("POST", f"{namespace_path(namespace)}/properties", {"updates": {"a": "1"}, "removals": ["b"]})


def drop_namespace(client: Client, namespace: str) -> Case:
    return Case("DELETE", namespace_path(namespace))


def create_table(client: Client, namespace: str) -> Case:
    return Case("POST", f"{namespace_path(namespace)}/tables", create_table_request("t"))


def stage_table(client: Client, namespace: str) -> Case:
    body = create_table_request("t", **{"stage-create": True})
    return Case("POST", f"{namespace_path(namespace)}/tables", body, 0)


def commit_table(client: Client, namespace: str) -> Case:
    return Case("POST", make_table(client, namespace).path, commit_request(set_properties(a="1")))


def create_by_commit(client: Client, namespace: str) -> Case:
    update = {"action": "add-schema", "schema": schema()}
    body = commit_request(update, requirements=[{"type": "assert-create"}])
    return Case("POST", table_path(namespace, "t"), body)


def drop_table(client: Client, namespace: str) -> Case:
    return Case("DELETE", make_table(client, namespace).path)


def unregister_table(client: Client, namespace: str) -> Case:
    return Case("POST", f"{make_table(client, namespace).path}/unregister")


def register_table(client: Client, namespace: str) -> Case:
    table = make_table(client, namespace)
    location = table.location
    no_content(client.delete(table.path))
    body = {"name": "r", "metadata-location": location}
    return Case("POST", f"{namespace_path(namespace)}/register", body)


def rename_table(client: Client, namespace: str) -> Case:
    body = rename_request((namespace, make_table(client, namespace).name), (namespace, "new"))
    return Case("POST", "/v1/tables/rename", body)


def commit_transaction(client: Client, namespace: str) -> Case:
    changes = [
        {
            "identifier": {"namespace": [namespace], "name": make_table(client, namespace).name},
            "requirements": [],
            "updates": [set_properties(a="1")],
        }
        for _ in range(2)
    ]
    return Case("POST", "/v1/transactions/commit", {"table-changes": changes}, 2)


def create_view(client: Client, namespace: str) -> Case:
    return Case("POST", f"{namespace_path(namespace)}/views", create_view_request("v"))


def replace_view(client: Client, namespace: str) -> Case:
    return Case("POST", make_view(client, namespace).path, commit_request(set_properties(a="1")))


def drop_view(client: Client, namespace: str) -> Case:
    return Case("DELETE", make_view(client, namespace).path)


def refused_creation(client: Client, namespace: str) -> Case:
    make_table(client, namespace, "t")
    return Case("POST", f"{namespace_path(namespace)}/tables", create_table_request("t"), 0)


def drop_of_nothing(client: Client, namespace: str) -> Case:
    return Case("DELETE", table_path(namespace, "none"), None, 0)


MAKERS: list[Make] = [
    create_namespace,
    update_properties,
    drop_namespace,
    create_table,
    stage_table,
    commit_table,
    create_by_commit,
    drop_table,
    unregister_table,
    register_table,
    rename_table,
    commit_transaction,
    create_view,
    replace_view,
    drop_view,
    refused_creation,
    drop_of_nothing,
]


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
def test_one_effect_and_one_answer(
    nodes: Nodes, way: Way, client: Client, namespace: str, make: Make
) -> None:
    case, marker = make(client, namespace), unique_name("request")
    request = case.under({"Idempotency-Key": str(uuid4()), "X-Request-ID": marker})
    one, other = meet(nodes, way, request, request)
    assert (one.status_code, one.content) == (other.status_code, other.content)
    assert one.headers.get("ETag") == other.headers.get("ETag")
    assert one.ok == (make not in (refused_creation, drop_of_nothing)), one.text
    assert nodes.database.query(COUNT, marker) == [(case.changes,)]
