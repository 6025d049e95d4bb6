"""Reads that the lean loop may answer, by those who may see all, something and nothing."""

from collections.abc import Iterator
from typing import NamedTuple

from tests.clients.header_sets import CLIENTS, header_set
from tests.contract.bodies import append, set_ref
from tests.contract.calls import make_namespace, make_table, make_view, namespace_path, segment
from tests.contract.rights import grant, on_table
from tests.factories import field, schema, unique_name
from tests.http.world import Ways
from tests.support.identities import Identities

LOAD = "GET /v1/{prefix}/namespaces/{namespace}/tables/{table}"
EXISTS = "HEAD /v1/{prefix}/namespaces/{namespace}/tables/{table}"
ODD = ("a b", "a+b", "a/b", "ä/ö", "x.y", "%41", "日本")
BARE = "bare"


class Library(NamedTuple):
    """What there is to read; ``tokens`` by who reads."""

    ways: Ways
    space: str
    wide: str
    tokens: dict[str, str]

    @property
    def targets(self) -> list[str]:
        """Every hot route, with what makes its answers differ."""
        space = namespace_path(self.space)
        lists = [f"{space}/tables", f"{space}/views", "/v1/namespaces", f"/v1/namespaces?parent={self.space}"]
        objects = ["t", self.wide, "v", "none", *map(segment, ODD)]
        return [
            *(
                "/v1/config",
                "/v1/config?warehouse=default",
                "/v1/config?warehouse=none",
                "/v1/default/config",
            ),
            *(
                space,
                f"{space}/",
                f"{space}?a=b",
                namespace_path(self.space, "inner"),
                namespace_path("none"),
            ),
            *(namespace_path(self.space, "none"), namespace_path(self.space, prefix="/v1/default")),
            *(
                namespace_path(self.space, prefix="/v1/nowhere"),
                namespace_path(segment(self.space[:1])) + self.space,
            ),
            *(namespace_path(self.space, name) for name in ODD),
            *lists,
            *(f"{one}{'&' if '?' in one else '?'}{query}" for one in lists for query in PAGES),
            "/v1/namespaces?parent=none",
            f"{namespace_path('none')}/tables",
            f"{namespace_path(self.space, 'inner')}/tables",
            *(f"{space}/{kind}/{name}" for kind in ("tables", "views") for name in objects),
            *(f"{space}/tables/t?{query}" for query in SNAPSHOTS),
            f"{space}/tables/a+b",
            f"{space}/tables/files",
        ]


PAGES = (
    "pageSize=1",
    "pageSize=2&pageToken=",
    "pageToken=",
    "pageSize=0",
    "pageSize=x",
    "pageToken=x&pageSize=1",
)
SNAPSHOTS = (
    "snapshots=refs",
    "snapshots=all",
    "snapshots=none",
    "snapshots=refs&snapshots=all",
    "referenced-by=a.b",
)


def furnish(ways: Ways) -> Library:
    """Fill the catalog of both nodes."""
    identities = Identities(ways.stock)
    admin = identities.admin
    space = make_namespace(admin, owner="ada", text="ä" * 100)
    for name in ("inner", *ODD):
        body = {"namespace": [space, name], "properties": {}}
        admin.post("/v1/namespaces", json=body).raise_for_status()
    table = make_table(admin, space, "t", properties={"a": "1"})
    table.commit(*append(1, 1), set_ref(1, "b"), set_ref(1, "t", "tag"))
    table.commit(*append(2, 2, parent=1))
    make_view(admin, space, "v")
    for name in ODD:
        make_table(admin, space, name)
    wide = unique_name("wide")
    columns = [field(number, f"column_{number}", doc="x" * 300) for number in range(1, 400)]
    make_table(admin, space, wide, schema=schema(*columns))
    limited, nobody = identities.person(), identities.person()
    grant(admin, on_table(space, "t"), limited.name, "read-data")
    people = {"root": identities.root, "limited": limited, "nobody": nobody}
    return Library(ways, space, wide, {who: identities.token(person) for who, person in people.items()})


def heads(library: Library, client: str, who: str, method: str) -> Iterator[tuple[str, bytes]]:
    """Return the target and the request of every read, as a client sends it."""
    for target in library.targets:
        yield target, head(client, method, target, library.tokens[who])


def head(client: str, method: str, target: str, token: str, *more: str) -> bytes:
    """Return one request; ``more`` are further lines."""
    if client == BARE:
        lines = [f"{method} {target} HTTP/1.1", "Host: localhost", f"Authorization: Bearer {token}"]
        return "\r\n".join([*lines, *more, "", ""]).encode("latin-1")
    recorded = header_set(client, EXISTS if method == "HEAD" else LOAD)
    text = recorded.head(target, "localhost", token)
    return text[:-2] + "".join(f"{line}\r\n" for line in more).encode() + b"\r\n"


WRITERS = (*CLIENTS, BARE)
