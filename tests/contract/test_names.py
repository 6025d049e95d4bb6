"""Names: any Unicode, and how it travels in paths and query strings."""

import json
import re
from typing import Any

import pytest

from tests.contract.bodies import append, set_ref
from tests.contract.calls import (
    assert_error,
    create_view_request,
    local,
    make_namespace,
    make_table,
    make_view,
    namespace_path,
    no_content,
    ok,
    raw_request,
    segment,
    table_path,
    view_path,
)
from tests.factories import commit_request, create_table_request, schema, unique_name
from tests.support.server import Client, TestServer

ODD = [
    "a/b",
    "a%b",
    "a%2Fb",
    "a%252Fb",
    "a+b",
    "a b",
    " ",
    " leading and trailing ",
    "a.b",
    ".",
    "..",
    ".hidden",
    "a'b\"c`d",
    "a\\b",
    "a?b=c&d",
    "a#b",
    "a;b,c:d@e$f!g*h(i)j~k",
    "<script>alert(1)</script>",
    "{namespace}",
    "null",
    "123-start",
    "-",
    "ÀÉÎõü",
    "e\u0301",
    "\u00e9",
    "日本語テーブル",
    "עברית",
    "\u202eevil\u202c",
    "مرحبا بالعالم",
    "👩\u200d👩\u200d👧",
    "\U0010ffff",
    "\u00a0\u2028\ufeff",
    "\u0085\u009f",
    "İıßﬁ",
    "CASE",
    "case",
    "%s %(x)s {0}",
    "'; DROP TABLE tabulars; --",
    "x" * 255,
    "🦆" * 255,
]


@pytest.mark.parametrize("name", ODD)
def test_round_trip(client: Client, server: TestServer, name: str) -> None:
    """Every operation on a namespace, a table and a view of an odd name below one of an odd name."""
    top = make_namespace(client)
    created = ok(client.post("/v1/namespaces", json={"namespace": [top, name]}))
    assert created["namespace"] == [top, name]
    space = f"/v1/namespaces/{top}%1F{segment(name)}"
    if name in {".", ".."}:
        check_raw(server, space, top, name)
        return
    assert ok(client.get(space))["namespace"] == [top, name]
    assert ok(client.get("/v1/namespaces", params={"parent": top}))["namespaces"] == [[top, name]]
    assert ok(client.get("/v1/namespaces", params={"parent": f"{top}\x1f{name}"}))["namespaces"] == []
    for kind, title, body in (
        ("tables", "Table", create_table_request(name)),
        ("views", "View", create_view_request(name)),
    ):
        ok(client.post(f"{space}/{kind}", json=body))
        path = f"{space}/{kind}/{segment(name)}"
        assert ok(client.get(path))["metadata"]["location"]
        no_content(client.head(path))
        identifiers = ok(client.get(f"{space}/{kind}"))["identifiers"]
        assert identifiers == [{"namespace": [top, name], "name": name}]
        no_content(client.delete(path))
        message = f"{title} does not exist: {top}.{name}.{name}"
        assert_error(client.get(path), 404, f"NoSuch{title}Exception", message)
    no_content(client.delete(space))


@pytest.mark.parametrize("name", ODD)
def test_names_inside_of_documents(client: Client, namespace: str, name: str) -> None:
    """Keys and values of properties, columns, branches and tags come back byte by byte."""
    properties = {name: name}
    ok(client.post(f"{namespace_path(namespace)}/properties", json={"updates": properties}))
    assert ok(client.get(namespace_path(namespace)))["properties"][name] == name
    view = make_view(client, namespace, properties=properties)
    assert view.metadata["properties"][name] == name

    columns = schema()
    columns["fields"][0]["name"] = columns["fields"][0]["doc"] = name
    table = make_table(client, namespace, schema=columns, properties=properties)
    table.commit(*append(1, 1), set_ref(1, name), set_ref(1, f"tag {name}", "tag"))
    metadata = table.metadata
    assert metadata["properties"][name] == name
    assert {metadata["schemas"][0]["fields"][0][member] for member in ("name", "doc")} == {name}
    assert set(metadata["refs"]) == {"main", name, f"tag {name}"}
    assert json.loads(local(table.location).read_bytes()) == metadata


def check_raw(server: TestServer, space: str, top: str, name: str) -> None:
    """The same with a client that leaves dot segments alone."""
    assert raw_request(server, "GET", space).json()["namespace"] == [top, name]
    body = json.dumps(create_table_request(name)).encode()
    assert raw_request(server, "POST", f"{space}/tables", body).status_code == 200
    path = f"{space}/tables/{name}"
    assert raw_request(server, "GET", path).status_code == 200
    assert raw_request(server, "GET", path.replace(".", "%2E")).status_code == 200
    assert raw_request(server, "DELETE", path).status_code == 204
    assert raw_request(server, "DELETE", space).status_code == 204


@pytest.mark.parametrize("name", ["a/b", "a b+c", "👩\u200d👩", "\u202ex", "%2F"])
def test_views_and_renames_to_odd_names(client: Client, namespace: str, name: str) -> None:
    for kind, make, path in (("views", make_view, view_path), ("tables", make_table, table_path)):
        old = make(client, namespace)
        ends = {"source": old.name, "destination": name}
        body = {end: {"namespace": [namespace], "name": given} for end, given in ends.items()}
        no_content(client.post(f"/v1/{kind}/rename", json=body))
        assert ok(client.get(path(namespace, name)))["metadata"]
        no_content(client.delete(path(namespace, name)))


def test_names_are_case_sensitive_and_not_normalised(client: Client, namespace: str) -> None:
    names = ["Name", "NAME", "name", "e\u0301", "\u00e9"]
    for name in names:
        make_table(client, namespace, name)
    listed = ok(client.get(f"{namespace_path(namespace)}/tables"))["identifiers"]
    assert [item["name"] for item in listed] == sorted(names, key=str.encode)


WORDS = [
    "namespaces",
    "tables",
    "views",
    "rename",
    "register",
    "properties",
    "config",
    "v1",
    "default",
    "metrics",
]


@pytest.fixture(scope="module")
def worded(server: TestServer) -> None:
    """Namespaces called as parts of the routes, with tables and views called so, too."""
    with Client(server.url) as client:
        for word in WORDS:
            ok(client.post("/v1/namespaces", json={"namespace": [word]}))
            for number, name in enumerate(WORDS):
                (make_table, make_view)[number % 2](client, word, name)


@pytest.mark.parametrize("prefix", ["/v1", "/v1/default"])
@pytest.mark.parametrize("word", WORDS)
def test_words_of_the_routes_are_names_like_others(
    worded: None, client: Client, word: str, prefix: str
) -> None:
    space = f"{prefix}/namespaces/{word}"
    assert ok(client.get(space))["namespace"] == [word]
    no_content(client.head(space))
    assert ok(client.post(f"{space}/properties", json={"updates": {"a": prefix}}))["updated"] == ["a"]
    for kind, expected in (("tables", WORDS[::2]), ("views", WORDS[1::2])):
        names = [item["name"] for item in ok(client.get(f"{space}/{kind}"))["identifiers"]]
        assert names == sorted(expected)
        for name in names:
            path = f"{space}/{kind}/{name}"
            assert f"/{name}-" in ok(client.get(path))["metadata"]["location"]
            assert ok(client.post(path, json=commit_request()))["metadata"]
            no_content(client.head(path))


def encoded(server: TestServer, path: str) -> Any:
    return raw_request(server, "GET", path).json()["metadata"]["table-uuid"]


def test_plus_means_space_unless_only_the_plus_exists(
    client: Client, server: TestServer, namespace: str
) -> None:
    tables = f"/v1/namespaces/{namespace}/tables"
    plus = make_table(client, namespace, "a+b").metadata["table-uuid"]
    assert encoded(server, f"{tables}/a+b") == plus
    space = make_table(client, namespace, "a b").metadata["table-uuid"]
    assert encoded(server, f"{tables}/a+b") == space
    assert encoded(server, f"{tables}/a%20b") == space
    assert encoded(server, f"{tables}/a%2Bb") == plus
    assert encoded(server, f"{tables}/a%2bb") == plus


def test_plus_in_namespaces_and_other_methods(client: Client, server: TestServer) -> None:
    plus = unique_name("a+b")
    ok(client.post("/v1/namespaces", json={"namespace": [plus]}))
    path = f"/v1/namespaces/{plus}"
    assert raw_request(server, "HEAD", path).status_code == 204
    body = json.dumps(create_table_request("t+u")).encode()
    assert raw_request(server, "POST", f"{path}/tables", body).status_code == 200
    assert raw_request(server, "GET", f"{path}/tables").json()["identifiers"][0]["namespace"] == [plus]
    assert (
        raw_request(server, "POST", f"{path}/tables/t+u", b'{"requirements":[],"updates":[]}').status_code
        == 200
    )
    assert raw_request(server, "DELETE", f"{path}/tables/t+u").status_code == 204
    assert raw_request(server, "DELETE", path).status_code == 204
    assert_error(
        raw_request(server, "GET", path), 404, "NoSuchNamespaceException", f"Namespace does not exist: {plus}"
    )


def test_separator_in_either_case(client: Client, server: TestServer, namespace: str) -> None:
    child = make_namespace(client, namespace)
    for separator in ("%1F", "%1f"):
        answer = raw_request(server, "GET", f"/v1/namespaces/{namespace}{separator}{child}")
        assert answer.json()["namespace"] == [namespace, child]
        answer = raw_request(server, "GET", f"/v1/namespaces?parent={namespace}{separator}{child}")
        assert answer.json()["namespaces"] == []


def test_parent_that_was_encoded_twice(client: Client, server: TestServer, namespace: str) -> None:
    """PyIceberg encodes each level before its HTTP library encodes the whole."""
    ok(client.post("/v1/namespaces", json={"namespace": [namespace, "a b/c"]}))
    ok(client.post("/v1/namespaces", json={"namespace": [namespace, "a b/c", "d"]}))
    parent = f"{namespace}\x1f{segment('a b/c')}"
    answer = client.get("/v1/namespaces", params={"parent": parent})
    assert ok(answer)["namespaces"] == [[namespace, "a b/c", "d"]]


@pytest.mark.parametrize("suffix", ["", "/"])
def test_one_trailing_slash(client: Client, server: TestServer, namespace: str, suffix: str) -> None:
    make_table(client, namespace, "t")
    for path, code in (
        ("/v1/config", 200),
        ("/v1/namespaces", 200),
        (f"/v1/namespaces/{namespace}", 200),
        (f"/v1/namespaces/{namespace}/tables", 200),
        (f"/v1/namespaces/{namespace}/tables/t", 200),
        ("/health", 200),
        ("/ready", 200),
    ):
        assert raw_request(server, "GET", path + suffix).status_code == code, path
    assert raw_request(server, "GET", f"/v1/namespaces{suffix}?pageSize=1").status_code == 200


def test_absolute_target(client: Client, server: TestServer, namespace: str) -> None:
    answer = raw_request(server, "GET", f"{server.url}/v1/namespaces/{namespace}?x=1")
    assert answer.json()["namespace"] == [namespace]


@pytest.mark.parametrize("raw", ["%FF", "%C3", "%ED%A0%80", "a%80b", "%F8%88%80%80%80"])
def test_path_that_is_not_utf_8(server: TestServer, raw: str) -> None:
    for path in (f"/v1/namespaces/{raw}", f"/v1/namespaces/a/tables/{raw}", f"/v1/{raw}/namespaces"):
        assert_error(raw_request(server, "GET", path), 400, "BadRequestException", re.compile("UTF-8"))


def test_path_with_nul(server: TestServer) -> None:
    for path in ("/v1/namespaces/a%00b", "/v1/namespaces/a/tables/%00", "/v1/namespaces/a%1F%00/views/v"):
        assert_error(raw_request(server, "GET", path), 400, "BadRequestException", re.compile(r"U\+0000"))


@pytest.mark.parametrize("query", ["parent=a%00b", "parent=%FF", "warehouse=%00", "pageToken=%00"])
def test_query_with_nul_or_bad_utf_8(server: TestServer, query: str) -> None:
    path = "/v1/config" if query.startswith("warehouse") else "/v1/namespaces"
    answer = raw_request(server, "GET", f"{path}?{query}")
    assert answer.status_code in {400, 404}, answer.text
    assert answer.json()["error"]["code"] == answer.status_code


def test_raw_bytes_in_the_target(server: TestServer) -> None:
    """Unencoded UTF-8, as some clients send it, is either understood or refused in the envelope."""
    answer = raw_request(server, "GET", "/v1/namespaces/nicht-da-ü".encode())
    assert answer.status_code in {400, 404}, answer.text
    assert answer.json()["error"]["type"] in {"BadRequestException", "NoSuchNamespaceException"}


@pytest.mark.parametrize("bad", ["%", "%2", "%zz", "a%"])
def test_percent_sign_that_encodes_nothing(server: TestServer, bad: str) -> None:
    answer = raw_request(server, "GET", f"/v1/namespaces/{bad}")
    assert answer.status_code in {400, 404}, answer.text
    assert answer.json()["error"]["code"] == answer.status_code


FORBIDDEN = ["", "a\x1fb", "a\0b", "\n", "tab\there", "\x7f", "\x01"]


@pytest.mark.parametrize("name", FORBIDDEN)
def test_forbidden_names(client: Client, namespace: str, name: str) -> None:
    body = create_table_request(name)
    answers = [
        client.post("/v1/namespaces", json={"namespace": [name]}),
        client.post("/v1/namespaces", json={"namespace": [namespace, name]}),
        client.post(f"{namespace_path(namespace)}/tables", json=body),
        client.post(f"{namespace_path(namespace)}/tables", json={**body, "stage-create": True}),
        client.post(f"{namespace_path(namespace)}/register", json={"name": name, "metadata-location": "/x"}),
    ]
    for answer in answers:
        assert_error(answer, 400, "BadRequestException")


def test_lone_surrogate(server: TestServer, client: Client) -> None:
    """Legal in JSON text, but no Unicode: neither a file nor PostgreSQL could hold it."""
    body = b'{"namespace": ["\\ud800"]}'
    assert_error(raw_request(server, "POST", "/v1/namespaces", body), 400, "BadRequestException")
    name = make_namespace(client)
    body = b'{"updates": {"a": "x\\udfff"}}'
    answer = raw_request(server, "POST", f"/v1/namespaces/{name}/properties", body)
    assert_error(answer, 400, "BadRequestException")


def test_longest_names_and_deepest_namespaces(client: Client) -> None:
    top = make_namespace(client)
    answer = client.post("/v1/namespaces", json={"namespace": [top, "x" * 256]})
    message = "Invalid namespace[1]: 256 characters exceed limits.max_identifier_length (255)"
    assert_error(answer, 400, "BadRequestException", message)
    answer = client.post(f"{namespace_path(top)}/tables", json=create_table_request("x" * 256))
    message = "Invalid name: 256 characters exceed limits.max_identifier_length (255)"
    assert_error(answer, 400, "BadRequestException", message)
    levels = [top]
    for depth in range(1, 32):
        levels.append(f"{depth}")
        ok(client.post("/v1/namespaces", json={"namespace": levels}))
    answer = client.post("/v1/namespaces", json={"namespace": [*levels, "32"]})
    message = "Invalid namespace: 33 levels exceed limits.max_namespace_depth (32)"
    assert_error(answer, 400, "BadRequestException", message)


@pytest.mark.parametrize("path", ["/v1/namespaces/", "/v1/namespaces//tables", "/v1/namespaces/a/tables/"])
def test_empty_segments(server: TestServer, path: str) -> None:
    answer = raw_request(server, "GET", path)
    assert answer.status_code in {200, 400, 404}, answer.text
    assert answer.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("name", ["a" * 300, "x\x1fy", "\x01"])
def test_names_that_cannot_exist_are_missing_in_paths(client: Client, namespace: str, name: str) -> None:
    answer = client.get(table_path(namespace, name))
    assert answer.status_code in {400, 404}, answer.text
    assert answer.json()["error"]["type"] in {"NoSuchTableException", "BadRequestException"}
