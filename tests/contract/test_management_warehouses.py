"""/management/v1/warehouses: create, list, load, change and delete warehouses."""

import re
from typing import Any
from uuid import uuid4

import pytest

from tests.contract.calls import assert_error, at_once, no_content, ok
from tests.contract.managed import DAY, WAREHOUSES, WEEK, Grounds, change, create, path_of, try_create
from tests.factories import create_table_request, unique_name
from tests.support.process import eventually
from tests.support.server import Client, TestServer

REQUESTS = "iceberg_catalog_http_requests_total"
RESERVED = ["config", "oauth", "namespaces", "tables", "views", "transactions", "events", "api-keys", "aws"]


def logged(server: TestServer, request_id: str) -> dict[str, Any] | None:
    return next((line for line in server.logs() if line.get("request_id") == request_id), None)


def changes(server: TestServer, warehouse: str) -> list[tuple[Any, ...]]:
    assert server.database is not None
    return server.database.query(
        "SELECT action, details::jsonb FROM changes WHERE object_kind = 'warehouse' AND object_id = "
        "(SELECT object_id FROM changes WHERE object_kind = 'warehouse' AND name = %s LIMIT 1) ORDER BY id",
        warehouse,
    )


def test_default_warehouse_is_listed_and_loaded(client: Client, server: TestServer) -> None:
    listed = ok(client.get(WAREHOUSES))
    assert listed["next-page-token"] is None
    (default,) = [item for item in listed["warehouses"] if item["default"]]
    assert default == ok(client.get(f"{WAREHOUSES}/default"))
    assert (default["name"], default["prefix"], default["active"]) == ("default", "default", True)
    assert default["soft-delete"] == {"enabled": False, "hold-seconds": None}
    assert default["storage-profile"]["type"] == "local"
    assert default["storage-profile"]["root-location"] == server.warehouse.location


def test_create_and_load(manager: Client, managed: TestServer, grounds: Grounds) -> None:
    profile = grounds.local()
    made = create(manager, profile)
    assert made["prefix"] == made["name"]
    assert (made["active"], made["protected"], made["default"], made["version"]) == (True, False, False, 1)
    assert made["soft-delete"] == {"enabled": False, "hold-seconds": None}
    assert made["storage-profile"] == {
        **profile,
        "allowed-locations": [],
        "endpoint": "",
        "region": "",
        "path-style-access": False,
        "credentials": {"type": "default"},
        "delegation": [],
        "sts": None,
    }
    assert ok(manager.get(path_of(made))) == made
    assert made in ok(manager.get(WAREHOUSES))["warehouses"]
    assert changes(managed, made["name"]) == [("warehouse.created", {"after": made})]


def test_a_created_warehouse_is_used_by_prefix_and_named_by_its_root(
    manager: Client, grounds: Grounds
) -> None:
    profile = grounds.local()
    made = create(manager, profile)
    root = profile["root-location"]
    for name in (made["name"], root, root.removeprefix("file://"), f"{root}/"):
        config = ok(manager.get("/v1/config", params={"warehouse": name}))
        assert config["overrides"]["prefix"] == made["prefix"]
        assert not [key for key in config["defaults"] if key.startswith("s3.")]
    prefix = f"/v1/{made['prefix']}"
    assert (
        ok(manager.post(f"{prefix}/namespaces", json={"namespace": ["a"]}))["properties"]["location"]
        == f"{root}/a"
    )
    table = ok(manager.post(f"{prefix}/namespaces/a/tables", json=create_table_request("t")))
    assert table["metadata-location"].startswith(f"{root}/a/t-")


def test_nothing_is_left_of_the_probe(manager: Client, grounds: Grounds) -> None:
    profile = grounds.local()
    create(manager, profile)
    assert not list(grounds.roots.joinpath(profile["root-location"].rpartition("/")[2]).rglob("*"))


def test_list_in_pages(manager: Client, grounds: Grounds) -> None:
    mine = sorted(create(manager, grounds.local())["name"] for _ in range(3))
    listed = [item["name"] for item in ok(manager.get(WAREHOUSES))["warehouses"]]
    assert listed == sorted(listed)
    assert set(mine) <= set(listed)
    paged, token = [], ""
    while token is not None:
        page = ok(manager.get(WAREHOUSES, params={"pageSize": 2, "pageToken": token}))
        assert len(page["warehouses"]) <= 2
        paged += [item["name"] for item in page["warehouses"]]
        token = page["next-page-token"]
    assert paged == listed
    answer = manager.get(WAREHOUSES, params={"pageToken": "x"})
    assert_error(answer, 400, "BadRequestException", re.compile("pageToken"))


def test_missing_warehouse(manager: Client) -> None:
    message = "Warehouse does not exist: no/body"
    path = f"{WAREHOUSES}/no%2Fbody"
    assert_error(manager.get(path), 404, "NoSuchWarehouseException", message)
    assert_error(manager.patch(path, json={"active": False}), 404, "NoSuchWarehouseException", message)
    assert_error(manager.delete(path), 404, "NoSuchWarehouseException", message)


@pytest.mark.parametrize("name", [*RESERVED, *(name.upper() for name in RESERVED), "Config", "API-Keys"])
def test_reserved_names(manager: Client, grounds: Grounds, name: str) -> None:
    answer = try_create(manager, grounds.local(), name)
    assert_error(answer, 400, "BadRequestException", re.compile("must not be one of api-keys, aws, config"))
    made = create(manager, grounds.local())
    assert_error(
        change(manager, made, name=name), 400, "BadRequestException", re.compile("must not be one of")
    )


@pytest.mark.parametrize(
    "name", [" ", ".", "..", "-a", "a b", "a/b", "a%2Fb", "ü", "a\n", "x" * 129, "a\u0000"]
)
def test_names_that_cannot_be(manager: Client, grounds: Grounds, name: str) -> None:
    assert_error(
        try_create(manager, grounds.local(), name), 400, "BadRequestException", re.compile("Invalid")
    )


@pytest.mark.parametrize("name", ["a", "0", "x" * 128, "A.b_c-d"])
def test_names_that_can_be(manager: Client, grounds: Grounds, name: str) -> None:
    made = create(manager, grounds.local(), name)
    assert ok(manager.get(path_of(made)))["name"] == name
    no_content(manager.delete(path_of(made)))


LOCAL = {"type": "local", "root-location": "/x"}
BODIES = [
    ({}, "name"),
    ({"name": "w"}, "storage-profile"),
    ({"name": 1, "storage-profile": {}}, "name: expected a string"),
    ({"name": "w", "storage-profile": []}, "storage-profile"),
    ({"name": "w", "storage-profile": {"type": "gcs", "root-location": "gs://a/b"}}, "storage-profile.type"),
    ({"name": "w", "storage-profile": {"type": "local"}}, "storage-profile.root-location"),
    ({"name": "w", "storage-profile": {"type": "local", "root-location": "x"}}, "root-location"),
    ({"name": "w", "storage-profile": {"type": "local", "root-location": "s3://b/x"}}, "root-location"),
    ({"name": "w", "storage-profile": {"type": "s3", "root-location": "file:///x"}}, "root-location"),
    ({"name": "w", "storage-profile": {"type": "s3", "root-location": "s3://bucket/a/../c"}}, "segments"),
    ({"name": "w", "storage-profile": {"type": "local", "root-location": "/x", "endpoint": "http://a"}}, "endpoint"),
    ({"name": "w", "storage-profile": {"type": "local", "root-location": "/x", "endpiont": ""}}, "endpiont"),
    ({"name": "w", "nmae": "x", "storage-profile": {"type": "local", "root-location": "/x"}}, "nmae"),
    ({"name": "w", "storage-profile": {**LOCAL, "root-location": "/" + "x" * 1100}}, "longer than 1024 bytes"),
    ({"name": "w", "storage-profile": {**LOCAL, "allowed-locations": ["/x"] * 101}}, "allowed-locations"),
    ({"name": "w", "storage-profile": {**LOCAL, "allowed-locations": ["/x/", 5]}}, "allowed-locations"),
    ({"name": "w", "storage-profile": {**LOCAL, "allowed-locations": ["/x", "s3://b"]}}, "allowed-locations[1]"),
    ({"name": "w", "soft-delete": {"enabled": "yes"}, "storage-profile": LOCAL}, "soft-delete.enabled"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "named"), BODIES)
def test_malformed_requests(manager: Client, body: dict[str, Any], named: str) -> None:
    answer = manager.post(WAREHOUSES, json=body)
    assert_error(answer, 400, "BadRequestException", re.compile(re.escape(named)))


def test_name_taken(manager: Client, grounds: Grounds) -> None:
    made = create(manager, grounds.local())
    message = f"Warehouse already exists: {made['name']}"
    assert_error(try_create(manager, grounds.local(), made["name"]), 409, "AlreadyExistsException", message)
    other = create(manager, grounds.local())
    assert_error(change(manager, other, name=made["name"]), 409, "AlreadyExistsException", message)


def test_of_two_that_want_the_same_name_or_place_one_wins(manager: Client, grounds: Grounds) -> None:
    name, profile = unique_name("wanted"), grounds.local()
    answers = at_once([lambda: try_create(manager, grounds.local(), name) for _ in range(4)])
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    answers = at_once([lambda: try_create(manager, profile) for _ in range(4)])
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]


def test_roots_must_not_contain_one_another(manager: Client, grounds: Grounds) -> None:
    taken = create(manager, grounds.local())
    root = taken["storage-profile"]["root-location"]
    for place in (root, f"{root}/below", str(grounds.roots), root.replace("file://", "file://localhost")):
        answer = try_create(manager, {"type": "local", "root-location": place})
        assert_error(answer, 409, "AlreadyExistsException", re.compile("contain one another"))
    for allowed in (root, f"{root}/below", str(grounds.roots)):
        answer = try_create(manager, grounds.local(**{"allowed-locations": [allowed]}))
        assert_error(answer, 409, "AlreadyExistsException", re.compile("contain one another"))
    create(manager, {"type": "local", "root-location": f"{root}-sibling"})


def test_the_default_warehouse_keeps_its_place(manager: Client, make_server: Any, grounds: Grounds) -> None:
    with make_server(settings={"storage.local.allowed_roots": "/"}) as server, Client(server.url) as client:
        profile = {"type": "local", "root-location": f"{server.warehouse.location}/below"}
        answer = try_create(client, profile)
        assert_error(
            answer, 409, "AlreadyExistsException", re.compile("warehouse default contain one another")
        )


def test_local_roots_only_where_the_settings_allow(manager: Client, client: Client, grounds: Grounds) -> None:
    outside = grounds.folder / "outside"
    (grounds.roots / "link").symlink_to(outside)
    outside.mkdir()
    for place in (f"{outside}/w", str(grounds.folder), f"{grounds.roots}-sibling/w", "/", "/etc/x"):
        answer = try_create(manager, {"type": "local", "root-location": place})
        assert_error(answer, 400, "IllegalArgumentException", re.compile(r"storage\.local\.allowed_roots"))
        answer = try_create(manager, grounds.local(**{"allowed-locations": [place]}))
        assert_error(answer, 400, "IllegalArgumentException", re.compile("allowed-locations"))
    for place in (f"{grounds.roots}/link", f"{grounds.roots}/link/w"):
        answer = try_create(manager, {"type": "local", "root-location": place})
        assert_error(answer, 400, "IllegalArgumentException", re.compile("symbolic link"))
    answer = try_create(client, grounds.local())
    assert_error(answer, 400, "IllegalArgumentException", re.compile(r"storage\.local\.allowed_roots"))
    assert not list(outside.iterdir())


def test_a_root_that_cannot_be_written_is_refused(manager: Client, grounds: Grounds) -> None:
    (grounds.roots / "file").write_text("in the way")
    answer = try_create(manager, {"type": "local", "root-location": f"{grounds.roots}/file/w"})
    message = assert_error(
        answer, 400, "IllegalArgumentException", re.compile("cannot be used, write failed")
    )
    assert "in the way" not in message


def test_allowed_locations_may_hold_tables(manager: Client, grounds: Grounds) -> None:
    shared = grounds.local("shared-by-two")["root-location"]
    one, two = (create(manager, grounds.local(**{"allowed-locations": [shared]})) for _ in range(2))
    for number, made in enumerate((one, two)):
        space = f"/v1/{made['prefix']}/namespaces"
        ok(manager.post(space, json={"namespace": ["a"]}))
        ok(manager.post(f"{space}/a/tables", json=create_table_request("t", location=f"{shared}/{number}")))
        outside = create_table_request("u", location=grounds.local()["root-location"])
        assert_error(manager.post(f"{space}/a/tables", json=outside), 400, "IllegalArgumentException")


def test_rename_keeps_the_prefix(manager: Client, managed: TestServer, grounds: Grounds) -> None:
    made = create(manager, grounds.local())
    ok(manager.post(f"/v1/{made['prefix']}/namespaces", json={"namespace": ["a"]}))
    name = unique_name("renamed")
    renamed = ok(change(manager, made, name=name))
    assert (renamed["name"], renamed["prefix"], renamed["version"]) == (name, made["prefix"], 2)
    assert_error(manager.get(path_of(made)), 404, "NoSuchWarehouseException")
    config = ok(manager.get("/v1/config", params={"warehouse": name}))
    assert config["overrides"]["prefix"] == made["prefix"]
    assert ok(manager.get(f"/v1/{made['prefix']}/namespaces"))["namespaces"] == [["a"]]
    successor = create(manager, grounds.local(), made["name"])
    assert re.fullmatch(re.escape(made["name"]) + "-[0-9a-f]{8}", successor["prefix"])
    assert ok(manager.get(f"/v1/{successor['prefix']}/namespaces"))["namespaces"] == []
    actions = [action for action, _ in changes(managed, made["name"])]
    assert actions == ["warehouse.created", "warehouse.renamed"]


def test_deactivated_warehouse_refuses_its_iceberg_routes(
    manager: Client, managed: TestServer, grounds: Grounds
) -> None:
    made = create(manager, grounds.local())
    prefix = f"/v1/{made['prefix']}"
    ok(manager.post(f"{prefix}/namespaces", json={"namespace": ["a"]}))
    assert ok(change(manager, made, active=False))["active"] is False
    message = f"Warehouse is deactivated: {made['name']}"

    def refused() -> bool:
        answers = [manager.get(f"{prefix}/namespaces") for _ in range(10)]
        return {answer.status_code for answer in answers} == {403}

    eventually(refused, 3, "all workers have heard of it")
    answer = manager.get("/v1/config", params={"warehouse": made["name"]})
    assert_error(answer, 403, "ForbiddenException", message)
    assert ok(manager.get(path_of(made)))["active"] is False
    assert ok(change(manager, made, active=True))["active"] is True
    eventually(lambda: manager.get(f"{prefix}/namespaces").status_code == 200, 3, "it is back")
    actions = [action for action, _ in changes(managed, made["name"])]
    assert actions == ["warehouse.created", "warehouse.deactivated", "warehouse.activated"]


@pytest.mark.lenient("refused before the body is looked at")
def test_every_operation_in_a_deactivated_warehouse_is_refused(manager: Client, grounds: Grounds) -> None:
    made = create(manager, grounds.local())
    ok(change(manager, made, active=False))
    prefix, message = f"/v1/{made['prefix']}", f"Warehouse is deactivated: {made['name']}"
    for endpoint in ok(manager.get("/v1/config"))["endpoints"]:
        method, _, template = endpoint.partition(" ")
        path = template.replace("/v1/{prefix}", prefix).replace("{", "no_").replace("}", "")
        answer = manager.request(method, path)
        assert answer.status_code == 403, endpoint
        if method != "HEAD":
            assert_error(answer, 403, "ForbiddenException", message)


def test_soft_delete_setting(manager: Client, grounds: Grounds) -> None:
    made = create(manager, grounds.local(), **{"soft-delete": {"enabled": True}})
    assert made["soft-delete"] == {"enabled": True, "hold-seconds": WEEK}
    changed = ok(change(manager, made, soft_delete={"enabled": True, "hold-seconds": DAY}))
    assert changed["soft-delete"] == {"enabled": True, "hold-seconds": DAY}
    changed = ok(change(manager, made, soft_delete={"enabled": True}))
    assert changed["soft-delete"] == {"enabled": True, "hold-seconds": DAY}
    changed = ok(change(manager, made, soft_delete={"enabled": False}))
    assert changed["soft-delete"] == {"enabled": False, "hold-seconds": None}
    for wrong in (
        {"enabled": True, "hold-seconds": 0},
        {"enabled": True, "hold-seconds": -1},
        {"enabled": True, "hold-seconds": 10**12},
        {"enabled": True, "hold-seconds": 1.5},
        {"enabled": True, "hold-seconds": "7d"},
        {"enabled": False, "hold-seconds": DAY},
    ):
        answer = change(manager, made, soft_delete=wrong)
        assert_error(answer, 400, "BadRequestException", re.compile(r"soft-delete\.hold-seconds"))
    answer = change(manager, made, soft_delete={"hold-seconds": DAY})
    assert_error(answer, 400, "BadRequestException", re.compile(r"soft-delete\.enabled"))


@pytest.mark.parametrize(
    "body", [{}, {"name": None}, {"prefix": "x"}, {"default": True}, {"active": "no"}, {"active": 0}]
)
def test_malformed_changes(manager: Client, grounds: Grounds, body: dict[str, Any]) -> None:
    made = create(manager, grounds.local())
    assert_error(manager.patch(path_of(made), json=body), 400, "BadRequestException")
    assert ok(manager.get(path_of(made))) == made


def test_what_is_shown_can_be_sent_back(manager: Client, managed: TestServer, grounds: Grounds) -> None:
    made = create(manager, grounds.local(), **{"soft-delete": {"enabled": True}})
    members = ("name", "active", "protected", "soft-delete", "storage-profile")
    same = ok(manager.patch(path_of(made), json={member: made[member] for member in members}))
    assert same == made, "nothing has changed"
    assert [action for action, _ in changes(managed, made["name"])] == ["warehouse.created"]


def test_root_location_changes_only_while_empty(manager: Client, grounds: Grounds) -> None:
    made = create(manager, grounds.local())
    prefix = f"/v1/{made['prefix']}/namespaces"
    for _ in range(10):
        ok(manager.get(prefix))
    moved = ok(change(manager, made, storage_profile=grounds.local()))
    root = moved["storage-profile"]["root-location"]
    assert root != made["storage-profile"]["root-location"]
    for name in ("a", "b", "c", "d", "e", "f"):
        namespace = ok(manager.post(prefix, json={"namespace": [name]}))
        assert namespace["properties"]["location"] == f"{root}/{name}"
    answer = change(manager, made, storage_profile=grounds.local())
    assert_error(
        answer, 409, "ConflictException", re.compile("has namespaces: its root location can only change")
    )
    more = {**moved["storage-profile"], "allowed-locations": [grounds.local()["root-location"]]}
    more = {
        key: value for key, value in more.items() if key in {"type", "root-location", "allowed-locations"}
    }
    assert ok(change(manager, made, storage_profile=more))["storage-profile"]["allowed-locations"]


def test_the_default_warehouse_belongs_to_the_settings(manager: Client, grounds: Grounds) -> None:
    for members in ({"name": "other"}, {"storage_profile": grounds.local()}):
        answer = change(manager, "default", **members)
        assert_error(answer, 400, "IllegalArgumentException", re.compile("come from the settings"))
    assert_error(
        manager.delete(path_of("default")), 400, "IllegalArgumentException", re.compile("cannot be deleted")
    )
    changed = ok(change(manager, "default", soft_delete={"enabled": True}))
    assert changed["soft-delete"]["enabled"] is True
    ok(change(manager, "default", soft_delete={"enabled": False}))


def test_delete(manager: Client, managed: TestServer, grounds: Grounds) -> None:
    made = create(manager, grounds.local())
    ok(manager.get(f"/v1/{made['prefix']}/namespaces"))
    no_content(manager.delete(path_of(made)))
    assert_error(manager.get(path_of(made)), 404, "NoSuchWarehouseException")
    assert_error(manager.delete(path_of(made)), 404, "NoSuchWarehouseException")
    answers = lambda: {manager.get(f"/v1/{made['prefix']}/namespaces").status_code for _ in range(10)}  # noqa: E731
    eventually(lambda: answers() == {404}, 3, "all workers have heard of it")
    assert [action for action, _ in changes(managed, made["name"])] == [
        "warehouse.created",
        "warehouse.deleted",
    ]
    again = create(
        manager,
        made["storage-profile"] and {k: made["storage-profile"][k] for k in ("type", "root-location")},
        made["name"],
    )
    assert again["prefix"] == made["prefix"]


def test_who_still_goes_by_a_deleted_warehouse_hears_that_it_is_gone(
    manager: Client, grounds: Grounds
) -> None:
    for _ in range(3):
        made = create(manager, grounds.local())
        path = f"/v1/{made['prefix']}/namespaces"
        assert {manager.get(path).status_code for _ in range(6)} == {200}
        no_content(manager.delete(path_of(made)))
        for headers in ({}, {"Idempotency-Key": str(uuid4())}):
            answer = manager.post(path, json={"namespace": ["late"]}, headers=headers)
            assert_error(answer, 404, "NoSuchWarehouseException")


def test_only_an_empty_warehouse_is_deleted(manager: Client, grounds: Grounds) -> None:
    made = create(manager, grounds.local(), **{"soft-delete": {"enabled": True}})
    space = f"/v1/{made['prefix']}/namespaces"
    ok(manager.post(space, json={"namespace": ["a"]}, headers={"Idempotency-Key": str(uuid4())}))
    refused = re.compile(f"Warehouse {made['name']} has namespaces: only an empty one can be deleted")
    for query in ("", "?force=true"):
        assert_error(manager.delete(path_of(made) + query), 409, "ConflictException", refused)
    ok(manager.post(f"{space}/a/tables", json=create_table_request("t")))
    no_content(manager.delete(f"{space}/a/tables/t"))
    no_content(manager.delete(f"{space}/a"))
    held = re.compile("has dropped tables or views that are held")
    assert_error(manager.delete(path_of(made)), 409, "ConflictException", held)
    (item,) = ok(manager.get(f"{path_of(made)}/dropped"))["dropped"]
    no_content(manager.delete(f"{path_of(made)}/dropped/{item['id']}?purge=false"))
    no_content(manager.delete(path_of(made)))


def test_a_warehouse_whose_files_are_being_deleted_stays(make_server: Any, grounds: Grounds) -> None:
    with make_server(settings=grounds.settings(), entry="gunicorn") as server, Client(server.url) as client:
        made = create(client, grounds.local())
        space = f"/v1/{made['prefix']}/namespaces"
        ok(client.post(space, json={"namespace": ["a"]}))
        ok(client.post(f"{space}/a/tables", json=create_table_request("t")))
        no_content(client.delete(f"{space}/a/tables/t?purgeRequested=true"))
        no_content(client.delete(f"{space}/a"))
        answer = client.delete(path_of(made))
        assert_error(answer, 409, "ConflictException", re.compile("has jobs that are not done"))


def test_protected_warehouse(manager: Client, grounds: Grounds) -> None:
    made = create(manager, grounds.local(), protected=True)
    assert made["protected"] is True
    answer = manager.delete(path_of(made))
    assert_error(answer, 409, "ConflictException", re.compile(f"Warehouse is protected: {made['name']}"))
    assert ok(change(manager, made, protected=False))["protected"] is False
    assert ok(change(manager, made, protected=True))["protected"] is True
    no_content(manager.delete(f"{path_of(made)}?force=true"))


def test_idempotency_keys(manager: Client, managed: TestServer, grounds: Grounds) -> None:
    body = {"name": unique_name("once"), "storage-profile": grounds.local()}
    headers = {"Idempotency-Key": str(uuid4())}
    made = ok(manager.post(WAREHOUSES, json=body, headers=headers), 201)
    assert ok(manager.post(WAREHOUSES, json=body, headers=headers), 201) == made
    other = manager.post(WAREHOUSES, json={**body, "name": "other"}, headers=headers)
    assert_error(other, 422, "UnprocessableEntityException")
    rename, renamed = {"Idempotency-Key": str(uuid4())}, unique_name("once-renamed")
    for _ in range(2):
        answer = manager.patch(path_of(made), json={"name": renamed}, headers=rename)
        assert (ok(answer)["name"], answer.json()["version"]) == (renamed, 2)
    delete = {"Idempotency-Key": str(uuid4())}
    for _ in range(2):
        no_content(manager.delete(path_of(renamed), headers=delete))
    actions = [action for action, _ in changes(managed, made["name"])]
    assert actions == ["warehouse.created", "warehouse.renamed", "warehouse.deleted"]


def test_of_two_changes_at_once_none_is_lost(manager: Client, grounds: Grounds) -> None:
    made = create(manager, grounds.local())
    members: list[dict[str, Any]] = [{"protected": True}, {"soft_delete": {"enabled": True}}]
    answers = at_once([lambda member=member: change(manager, made, **member) for member in members])  # type: ignore[misc]
    for member, answer in zip(members, answers, strict=True):
        if answer.status_code != 200:
            assert_error(answer, 409, "CommitFailedException", re.compile("changed at the same time"))
            ok(change(manager, made, **member))
    final = ok(manager.get(path_of(made)))
    assert (final["protected"], final["soft-delete"]["enabled"], final["version"]) == (True, True, 3)


def test_requests_are_observed(client: Client, server: TestServer) -> None:
    request_id = unique_name("observed")
    ok(client.get(f"{WAREHOUSES}/default", headers={"X-Request-ID": request_id}))
    line = eventually(lambda: logged(server, request_id), 10, "the request is logged")
    assert (line["warehouse"], line["route"]) == ("default", f"{WAREHOUSES}/{{warehouse}}")
    labels = {"method": "GET", "path": f"{WAREHOUSES}/{{warehouse}}"}
    eventually(lambda: server.metric(REQUESTS, **labels) >= 1, 10, "the request is counted")


def test_management_is_not_announced(client: Client) -> None:
    assert not [
        endpoint for endpoint in ok(client.get("/v1/config"))["endpoints"] if "management" in endpoint
    ]


def test_unknown_management_route(client: Client) -> None:
    assert_error(client.get("/management/v1/nothing"), 404, "NotFoundException")
    assert_error(client.post(f"{WAREHOUSES}/default"), 405, "MethodNotAllowedException")
