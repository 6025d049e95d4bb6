"""The HTTP requests by which a world is read and changed."""

import json
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import quote

from tests.contract.bodies import append, assert_ref, assert_uuid
from tests.contract.calls import create_view_request
from tests.factories import commit_request, create_table_request
from tests.support.linear.events import Asked
from tests.support.linear.world import TAG, Place

MANAGEMENT = "/management/v1"
READ = "read-metadata"


class Request(NamedTuple):
    """``body`` is JSON."""

    method: str
    target: str
    body: Any = None
    if_none_match: str = ""

    def content(self) -> bytes:
        return b"" if self.body is None else json.dumps(self.body).encode()


def request_of(asked: Asked) -> Request:
    return REQUESTS[asked.action](asked)


def space_path(asked: Asked, space: str) -> str:
    return f"/v1/namespaces/{asked.world}%1F{quote(space, safe='')}"


def things_path(asked: Asked) -> str:
    return f"{space_path(asked, asked.place.space)}/{asked.kind}s"


def thing_path(asked: Asked) -> str:
    return f"{things_path(asked)}/{quote(asked.place.name, safe='')}"


def load(asked: Asked) -> Request:
    return Request("GET", thing_path(asked), if_none_match=asked.known.etag if asked.known else "")


def create(asked: Asked) -> Request:
    make = create_table_request if asked.kind == "table" else create_view_request
    return Request("POST", things_path(asked), make(asked.place.name, properties={TAG: asked.tag}))


def commit(asked: Asked) -> Request:
    return Request("POST", thing_path(asked), commit_request(_setting(asked)))


def append_snapshot(asked: Asked) -> Request:
    """A commit that wants the table to be as the client knows it."""
    assert asked.known is not None
    metadata = asked.known.metadata
    main = asked.known.thing.main
    updates = append(asked.mark, metadata["last-sequence-number"] + 1, main)
    requirements = [assert_uuid(metadata["table-uuid"]), assert_ref(main)]
    return Request("POST", thing_path(asked), commit_request(*updates, requirements=requirements))


def transact(asked: Asked) -> Request:
    """One property of two tables."""
    changes = [
        {"identifier": _identifier(asked, place), "requirements": [], "updates": [_setting(asked)]}
        for place in (asked.place, asked.to)
    ]
    return Request("POST", "/v1/transactions/commit", {"table-changes": changes})


def rename(asked: Asked) -> Request:
    ends = {"source": _identifier(asked, asked.place), "destination": _identifier(asked, asked.to)}
    return Request("POST", f"/v1/{asked.kind}s/rename", ends)


def create_space(asked: Asked) -> Request:
    levels = [asked.world, asked.place.space]
    return Request("POST", "/v1/namespaces", {"namespace": levels, "properties": {TAG: asked.tag}})


def update_space(asked: Asked) -> Request:
    path = f"{space_path(asked, asked.place.space)}/properties"
    return Request("POST", path, {"updates": {asked.key: str(asked.mark)}})


def rename_space(asked: Asked) -> Request:
    source = f"{asked.world}%1F{quote(asked.place.space, safe='')}"
    path = f"{MANAGEMENT}/warehouses/default/namespaces/{source}/rename"
    return Request("POST", path, {"destination": [asked.world, asked.to.space]})


def change_grants(path: str) -> Callable[[Asked], Request]:
    """On a table or view, or without a name on the whole world."""

    def made(asked: Asked) -> Request:
        on: dict[str, Any] = {"warehouse": "default", "namespace": [asked.world]}
        if asked.place.name:
            on = {"warehouse": "default", **_identifier(asked, asked.place)}
            on[asked.kind] = on.pop("name")
        body = {"privileges": [READ], "object": on, "to": {"principal": asked.reader}}
        return Request("POST", f"{MANAGEMENT}{path}", body)

    return made


def member_path(asked: Asked) -> str:
    return f"{MANAGEMENT}/roles/{role_of(asked.world)}/members/principals/{asked.reader}"


def role_of(world: str) -> str:
    """The role whose members may load everything in a world."""
    return f"readers-of-{world}"


def _setting(asked: Asked) -> dict[str, Any]:
    return {"action": "set-properties", "updates": {asked.key: str(asked.mark)}}


def _identifier(asked: Asked, place: Place) -> dict[str, Any]:
    return {"namespace": [asked.world, place.space], "name": place.name}


REQUESTS: dict[str, Callable[[Asked], Request]] = {
    "load": load,
    "has": lambda asked: Request("HEAD", thing_path(asked)),
    "list": lambda asked: Request("GET", things_path(asked)),
    "create": create,
    "commit": commit,
    "append": append_snapshot,
    "transact": transact,
    "rename": rename,
    "drop": lambda asked: Request("DELETE", thing_path(asked)),
    "load_space": lambda asked: Request("GET", space_path(asked, asked.place.space)),
    "has_space": lambda asked: Request("HEAD", space_path(asked, asked.place.space)),
    "list_spaces": lambda asked: Request("GET", f"/v1/namespaces?parent={asked.world}"),
    "create_space": create_space,
    "update_space": update_space,
    "rename_space": rename_space,
    "drop_space": lambda asked: Request("DELETE", space_path(asked, asked.place.space)),
    "grant": change_grants("/grants"),
    "revoke": change_grants("/grants/revoke"),
    "join": lambda asked: Request("PUT", member_path(asked)),
    "leave": lambda asked: Request("DELETE", member_path(asked)),
}
