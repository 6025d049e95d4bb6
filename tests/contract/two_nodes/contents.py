"""Everything that can be put into a namespace."""

from tests.contract.bodies import ASSERT_CREATE, staged_updates
from tests.contract.calls import (
    create_view_request,
    make_namespace,
    make_table,
    make_view,
    namespace_path,
    no_content,
    ok,
    rename_request,
    table_path,
)
from tests.contract.holding import management_path
from tests.contract.two_nodes.meetings import Request, commit, create, post
from tests.factories import create_table_request, function_metadata
from tests.support.server import Client

CONTENTS = [
    "table",
    "view",
    "namespace",
    "staged",
    "registered",
    "registered view",
    "renamed",
    "renamed view",
    "function",
]


def make_content(client: Client, kind: str, target: str) -> Request:
    """Return the request that puts something new into the namespace ``target``."""
    space = namespace_path(target)
    if kind == "namespace":
        return post("/v1/namespaces", {"namespace": [target, "x"]})
    if kind == "table":
        return create(target, "x")
    if kind == "function":
        body = {"name": "x", "metadata": function_metadata()}
        return post(management_path(target, below="/functions"), body)
    if kind == "view":
        return post(f"{space}/views", create_view_request("x"))
    if kind == "staged":
        body = create_table_request("x", **{"stage-create": True})
        plan = ok(client.post(f"{space}/tables", json=body))["metadata"]
        return commit(table_path(target, "x"), *staged_updates(plan), requirements=[ASSERT_CREATE])
    elsewhere = make_namespace(client)
    made = make_view(client, elsewhere) if "view" in kind else make_table(client, elsewhere)
    if kind.startswith("renamed"):
        path = "/v1/views/rename" if "view" in kind else "/v1/tables/rename"
        return post(path, rename_request((elsewhere, made.name), (target, "x")))
    location = made.location
    no_content(client.delete(made.path))
    path = "register-view" if "view" in kind else "register"
    return post(f"{space}/{path}", {"name": "x", "metadata-location": location})
