"""Locations: only inside the warehouse, on path boundaries, in every spelling, never one inside another."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import MakeServer
from tests.contract.calls import (
    Tabular,
    assert_error,
    create_view_request,
    local,
    make_namespace,
    make_table,
    namespace_path,
    no_content,
    ok,
    table_path,
)
from tests.factories import create_table_request, set_properties, unique_name
from tests.support.server import Client, TestServer


def create(client: Client, namespace: str, location: str, **more: Any) -> Any:
    body = create_table_request(unique_name("t"), location=location, **more)
    return client.post(f"{namespace_path(namespace)}/tables", json=body)


@pytest.fixture
def root(server: TestServer) -> str:
    """The path of the warehouse's folder."""
    return str(local(server.warehouse.location))


SPELLINGS = ["file:{}", "file://{}", "{}", "file://localhost{}", "FILE:{}", "file://{}/", "{}///"]


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_every_spelling_of_a_local_path(client: Client, namespace: str, root: str, spelling: str) -> None:
    path = f"{root}/{unique_name('own')}"
    answer = ok(create(client, namespace, spelling.format(path)))
    assert answer["metadata"]["location"] == spelling.format(path).rstrip("/")
    assert [file.name[:6] for file in (Path(path) / "metadata").iterdir()] == ["00000-"]


def around(root: str) -> set[Path]:
    """Return the warehouse's folder, its content, and what lies beside it under a name that begins alike."""
    return {*Path(root).parent.glob(f"{Path(root).name}*"), *Path(root).iterdir()}


OUTSIDE = [
    "{}",
    "file://{}/",
    "{}-sibling/x",
    "file://{}/../x",
    "{}/a/../../x",
    "{}/a/./b",
    "{}/a//b",
    "{}/%2e%2e/x",
    "{}/a?b",
    "{}/a#b",
    "{}/a\u0001b",
    "/etc/x",
    "file:///etc/x",
    "file://host{}/x",
    "file:relative",
    "relative/path",
    "s3://bucket/x",
    "s3a://bucket/x",
    "http://host/x",
    "hdfs://host/x",
    "gs://bucket/x",
    "x",
    "://",
    "file://",
    " {}/x",
]


@pytest.mark.parametrize("form", OUTSIDE)
def test_nowhere_else(client: Client, namespace: str, root: str, table: Tabular, form: str) -> None:
    location = form.format(root)
    before = around(root)
    update = {"action": "set-location", "location": location}
    answers = [
        create(client, namespace, location),
        create(client, namespace, location, **{"stage-create": True}),
        client.post(f"{namespace_path(namespace)}/views", json=create_view_request("v", location=location)),
        table.try_commit(update),
        client.post(
            f"{namespace_path(namespace)}/register", json={"name": "r", "metadata-location": location}
        ),
    ]
    for answer in answers:
        assert answer.status_code in {400, 404}, answer.text
        if answer.status_code == 404:
            assert_error(answer, 404, "NotFoundException")
            assert Path(root) in [local(location), *local(location).parents]
    assert len(table.files()) == 1
    assert around(root) == before


@pytest.mark.parametrize("name", ["write.metadata.path", "write.data.path", "write.object-storage.path"])
def test_write_paths_lie_inside_too(
    client: Client, namespace: str, table: Tabular, name: str, root: str
) -> None:
    for place in ("file:///etc/x", f"{root}-sibling", "s3://bucket/x"):
        properties = {name: place}
        body = create_table_request(unique_name("t"), properties=properties)
        for answer in (
            client.post(f"{namespace_path(namespace)}/tables", json=body),
            table.try_commit({"action": "set-properties", "updates": properties}),
        ):
            assert answer.status_code == 400, answer.text
            assert place in answer.json()["error"]["message"]
    table.commit({"action": "set-properties", "updates": {name: f"{root}/{unique_name('data')}"}})


def test_symbolic_link_out_of_the_warehouse(
    client: Client, namespace: str, root: str, tmp_path: Path
) -> None:
    link = Path(root) / unique_name("link")
    link.symlink_to(tmp_path)
    for location in (f"{link}", f"{link}/below"):
        answer = create(client, namespace, location)
        assert_error(answer, 400, "IllegalArgumentException", re.compile("symbolic link"))
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "x.metadata.json").write_text("{}")
    body = {"name": "r", "metadata-location": f"{link}/x.metadata.json"}
    answer = client.post(f"{namespace_path(namespace)}/register", json=body)
    assert_error(answer, 400, "IllegalArgumentException", re.compile("symbolic link"))


def test_symbolic_link_in_place_of_a_metadata_folder(table: Tabular, tmp_path: Path) -> None:
    folder = local(table.location).parent
    kept = folder.rename(folder.with_name("kept"))
    folder.symlink_to(tmp_path)
    answer = table.try_commit(set_properties(a="1"))
    assert answer.status_code in {400, 500}, answer.text
    assert list(tmp_path.iterdir()) == []
    folder.unlink()
    kept.rename(folder)
    table.commit(set_properties(a="1"))


OVERLAPS = ["{}", "{}/", "file:{}", "{}/below", "file://{}/metadata", "{}/a/b/c"]


@pytest.mark.parametrize("form", OVERLAPS)
def test_not_inside_another_one(client: Client, namespace: str, root: str, form: str) -> None:
    path = f"{root}/{unique_name('area')}/table"
    ok(create(client, namespace, f"file://{path}"))
    location = form.format(path)
    other = make_table(client, namespace)
    view = create_view_request(unique_name("v"), location=location)
    answers = [
        create(client, namespace, location),
        create(client, namespace, location, **{"stage-create": True}),
        client.post(f"{namespace_path(namespace)}/views", json=view),
        other.try_commit({"action": "set-location", "location": location}),
        create(client, make_namespace(client), location),
    ]
    for answer in answers:
        assert_error(answer, 400, "IllegalArgumentException", re.compile("overlaps"))
    assert len(other.files()) == 1
    assert len(list(Path(path).rglob("*.json"))) == 1


def test_not_around_another_one(client: Client, namespace: str, root: str) -> None:
    area = f"{root}/{unique_name('area')}"
    ok(create(client, namespace, f"{area}/deep/table"))
    for location in (area, f"{area}/deep", f"file:{area}"):
        answer = create(client, namespace, location)
        assert_error(answer, 400, "IllegalArgumentException", re.compile("overlaps"))


def test_neighbours_with_a_common_beginning(client: Client, namespace: str, root: str) -> None:
    area = f"{root}/{unique_name('area')}"
    for name in ("table", "table-2", "tabl", "table.x", "table0"):
        ok(create(client, namespace, f"{area}/{name}"))


def test_dropped_and_moved_objects_leave_their_place(client: Client, namespace: str, root: str) -> None:
    area = f"{root}/{unique_name('area')}"
    table = make_table(client, namespace, location=area)
    table.commit({"action": "set-location", "location": f"{area}-2"})
    second = make_table(client, namespace, location=f"{area}/below")
    no_content(client.delete(second.path))
    ok(create(client, namespace, area))


def test_moving_inside_the_own_place(client: Client, namespace: str, root: str) -> None:
    area = f"{root}/{unique_name('area')}"
    table = make_table(client, namespace, location=area)
    for location in (f"{area}/below", area, f"file://{area}"):
        assert table.commit({"action": "set-location", "location": location})["location"] == location


def test_default_location_of_an_odd_name(client: Client, namespace: str, root: str) -> None:
    for name in ("..", ".", "a/b", "ü" * 200, "a b%2F..", "\u202e𐍈", "-", "x" * 255):
        path = f"{namespace_path(namespace)}/tables"
        location = ok(client.post(path, json=create_table_request(name)))["metadata"]["location"]
        place = location.removeprefix("file://")
        assert Path(place).parent == Path(root) / namespace, (name, location)
        assert re.fullmatch(r"[A-Za-z0-9._-]{1,64}-[0-9a-f-]{36}", Path(place).name), (name, location)


@pytest.fixture(scope="module")
def extra(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("extra")


@pytest.fixture(scope="module")
def wider(make_server: MakeServer, extra: Path) -> Iterator[TestServer]:
    """A server that takes a second folder."""
    with make_server(settings={"storage.allowed_locations": f"file://{extra}/allowed"}) as running:
        yield running


def test_allowed_locations(wider: TestServer, extra: Path) -> None:
    client = wider.client()
    name = make_namespace(client)
    for number, spelling in enumerate(SPELLINGS):
        answer = ok(create(client, name, spelling.format(f"{extra}/allowed/t{number}")))
        assert (extra / f"allowed/t{number}/metadata").is_dir()
        folder = str(extra / "allowed" / f"t{number}")
        assert folder in answer["metadata-location"]
    for place in (f"{extra}/allowed", f"{extra}/allowed-not/x", f"{extra}/x", f"{extra}/allowed/../x"):
        assert create(client, name, place).status_code == 400
    assert sorted(path.name for path in extra.iterdir()) == ["allowed"]


def test_register_and_commit_in_an_allowed_location(wider: TestServer, extra: Path) -> None:
    client = wider.client()
    name = make_namespace(client)
    location = ok(create(client, name, f"{extra}/allowed/registered"))["metadata-location"]
    (identifier,) = ok(client.get(f"{namespace_path(name)}/tables"))["identifiers"]
    path = table_path(name, identifier["name"])
    no_content(client.delete(path))
    ok(client.post(f"{namespace_path(name)}/register", json={"name": "r", "metadata-location": location}))
    table = Tabular(client, name, "r", table_path(name, "r"))
    table.commit(set_properties(a="1"))
    assert len(list((extra / "allowed/registered/metadata").iterdir())) == 2
