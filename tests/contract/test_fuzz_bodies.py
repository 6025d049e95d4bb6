"""Corpora of request bodies and metadata files: never a 5xx, never a broken connection, nothing half done."""

import gzip
import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyiceberg.table.metadata import TableMetadataUtil
from pyiceberg.view.metadata import ViewMetadata

from tests.contract import corpora
from tests.contract.bodies import ASSERT_CREATE, append, set_ref, staged_updates
from tests.contract.calls import create_view_request, local, ok, rename_request, view_version
from tests.contract.fuzzing import Corpus, examples
from tests.contract.wire import Request
from tests.factories import (
    commit_request,
    create_table_request,
    field,
    function_metadata,
    schema,
    set_properties,
)

pytestmark = pytest.mark.usefixtures("whole")
UUID = "3b6fb1f5-38a2-4a4d-9e0e-5b9a6a6f0000"


def right_bodies() -> dict[str, Any]:
    """A request body that would be accepted, by path."""
    table = "/v1/namespaces/fuzz/tables/t"
    wide = schema(
        field(1, "id", required=True),
        field(2, "names", {"type": "list", "element-id": 3, "element": "string", "element-required": False}),
        **{"identifier-field-ids": [1]},
    )
    new = create_table_request(
        "x",
        schema=wide,
        properties={"a": "b"},
        **{
            "stage-create": True,
            "partition-spec": {"fields": [{"name": "p", "transform": "bucket[4]", "source-id": 1}]},
            "write-order": {
                "order-id": 1,
                "fields": [
                    {"transform": "identity", "source-id": 1, "direction": "asc", "null-order": "nulls-first"}
                ],
            },
        },
    )
    plan = {
        "table-uuid": UUID,
        "format-version": 3,
        "schemas": [wide],
        "partition-specs": [{"spec-id": 0, "fields": []}],
        "sort-orders": [{"order-id": 0, "fields": []}],
        "location": "",
        "properties": {"a": "b"},
    }
    staged = [update for update in staged_updates(plan) if update["action"] != "set-location"]
    update = commit_request(
        {"action": "remove-snapshots", "snapshot-ids": [1]},
        *append(1, 1),
        set_properties(a="1"),
        {"action": "add-schema", "schema": wide},
        {"action": "set-current-schema", "schema-id": -1},
        {"action": "add-spec", "spec": new["partition-spec"]},
        {"action": "set-default-spec", "spec-id": -1},
        {"action": "add-sort-order", "sort-order": new["write-order"]},
        {"action": "set-default-sort-order", "sort-order-id": -1},
        identifier={"namespace": ["fuzz"], "name": "t"},
    )
    version = [
        {"action": "add-view-version", "view-version": view_version("SELECT 2")},
        {"action": "set-current-view-version", "view-version-id": -1},
    ]
    return {
        "/v1/namespaces": {"namespace": ["fuzz", "new"], "properties": {"a": "b"}},
        "/v1/namespaces/fuzz/properties": {"removals": ["a"], "updates": {"b": "c"}},
        "/v1/namespaces/fuzz/tables": new,
        table: update,
        "/v1/namespaces/fuzz/tables/new": commit_request(*staged, requirements=[ASSERT_CREATE]),
        "/v1/namespaces/fuzz/register": {"name": "r", "metadata-location": "file:///x", "overwrite": True},
        "/v1/namespaces/fuzz/register-view": {"name": "r", "metadata-location": "file:///x"},
        "/v1/namespaces/fuzz/views": create_view_request("x"),
        "/v1/namespaces/fuzz/views/v": commit_request(*version),
        f"{table}/unregister": {},
        f"{table}/metrics": {"report-type": "commit-report", "table-name": "t", "snapshot-id": 1},
        "/v1/tables/rename": rename_request(("fuzz", "t"), ("fuzz", "u")),
        "/v1/views/rename": rename_request(("fuzz", "v"), ("fuzz", "w")),
        "/v1/transactions/commit": {
            "table-changes": [
                {
                    "identifier": {"namespace": ["fuzz"], "name": "t"},
                    "requirements": [],
                    "updates": update["updates"],
                }
            ]
        },
        "/management/v1/warehouses": {
            "name": "w",
            "storage-profile": {
                "type": "local",
                "root-location": "file:///nowhere",
                "allowed-locations": ["file:///nowhere/x"],
                "credentials": {"type": "default"},
            },
            "soft-delete": {"enabled": True, "hold-seconds": 60},
        },
        MANAGED: {"protected": True, "soft-delete": {"enabled": True, "hold-seconds": 60}},
        f"{MANAGED}/namespaces/fuzz/functions": {
            "name": "f",
            "metadata": function_metadata(**{"function-uuid": UUID}),
        },
        f"{MANAGED}/namespaces/fuzz%1Fa/rename": {"destination": ["fuzz", "a"]},
        f"{MANAGED}/namespaces/fuzz%1Fa/protection": {"protected": True},
        f"{MANAGED}/namespaces/fuzz/tables/t/protection": {"protected": False},
    }


MANAGED = "/management/v1/warehouses/default"
CREATED_BY_COMMIT = "/v1/namespaces/fuzz/tables/new"
BODIES = {path: body for path, body in right_bodies().items() if body}


def assert_readable(answer: dict[str, Any]) -> None:
    """PyIceberg, which is the strictest, can load what was accepted."""
    if "view-uuid" in answer.get("metadata", {}):
        ViewMetadata.model_validate(answer["metadata"])
    elif "metadata" in answer:
        TableMetadataUtil.parse_raw(json.dumps(answer["metadata"]))


@pytest.mark.parametrize("path", BODIES)
@examples(60)
@given(data=st.data())
def test_bodies(corpus: Corpus, path: str, data: st.DataObject) -> None:
    method = {"protection": "PUT", "default": "PATCH"}.get(path.rpartition("/")[2], "POST")
    answer = corpus.send(Request(method, path.encode(), data.draw(corpora.bodies(BODIES[path]))))
    if answer.status == 200 and re.search("/(tables|views)", path):
        assert_readable(json.loads(answer.body))
    if answer.status == 200 and path == CREATED_BY_COMMIT:
        assert corpus.send(Request("DELETE", path.encode())).status == 204


@examples(100)
@given(
    path=st.sampled_from(list(right_bodies())),
    kind=st.one_of(
        corpora.header_values,
        st.sampled_from(
            [b"application/json;charset=utf-16", b"application/json;", b";", b"/", b"application/JSON"]
        ),
    ),
    encoding=st.sampled_from([None, b"gzip", b"identity", b"deflate, gzip", b"x"]),
)
def test_types_of_bodies(corpus: Corpus, path: str, kind: bytes, encoding: bytes | None) -> None:
    headers = [(b"Content-Type", kind)] + ([(b"Content-Encoding", encoding)] if encoding else [])
    corpus.send(Request("POST", path.encode(), b"[]", tuple(headers)))


@pytest.fixture(scope="module")
def documents(corpus: Corpus) -> dict[str, Any]:
    """Metadata of a table with some history and of a view, by kind; neither is there any more."""
    client = corpus.server.client()
    made = {}
    for kind, body in (("table", create_table_request("old")), ("view", create_view_request("old"))):
        path = f"/v1/namespaces/fuzz/{kind}s"
        ok(client.post(path, json=body))
        if kind == "table":
            v3 = {"action": "upgrade-format-version", "format-version": 3}
            snapshot = append(1, 1)[0]
            snapshot["snapshot"] |= {"first-row-id": 0, "added-rows": 3}
            ok(
                client.post(
                    f"{path}/old", json=commit_request(v3, snapshot, set_ref(1), set_ref(1, "t", "tag"))
                )
            )
        made[kind] = ok(client.get(f"{path}/old"))["metadata"]
        assert client.delete(f"{path}/old").status_code == 204
    corpus.server.close_clients()
    return made


ENDINGS = {".metadata.json": bytes, ".gz.metadata.json": gzip.compress, ".metadata.json.gz": gzip.compress}


@pytest.mark.parametrize("kind", ["table", "view"])
@examples(150)
@given(data=st.data())
def test_metadata_files(corpus: Corpus, documents: dict[str, Any], kind: str, data: st.DataObject) -> None:
    """What is registered can be loaded, changed and dropped; the rest is refused, and nothing is left of it."""
    ending = data.draw(st.sampled_from(list(ENDINGS)))
    content = ENDINGS[ending](data.draw(corpora.bodies(documents[kind])))
    if data.draw(st.integers(0, 9)) == 0:
        content = content[: data.draw(st.integers(0, len(content)))]
    location = f"{documents[kind]['location']}/metadata/00000-x{ending}"
    file = local(location)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    route = "register" if kind == "table" else "register-view"
    body = json.dumps({"name": "r", "metadata-location": location}).encode()
    answer = corpus.try_out(Request("POST", f"/v1/namespaces/fuzz/{route}".encode(), body))
    if answer.status == 200:
        use_and_drop(corpus, f"/v1/namespaces/fuzz/{kind}s/r".encode())
    file.unlink()


def use_and_drop(corpus: Corpus, path: bytes) -> None:
    loaded = json.loads(corpus.try_out(Request("GET", path)).body)
    changed = corpus.try_out(
        Request("POST", path, json.dumps(commit_request(set_properties(a="1"))).encode())
    )
    if changed.status == 200:
        metadata = json.loads(changed.body)["metadata"]
        assert metadata["properties"]["a"] == "1"
        assert metadata.keys() >= loaded["metadata"].keys() - {"current-snapshot-id"}
    assert corpus.try_out(Request("DELETE", path)).status == 204
