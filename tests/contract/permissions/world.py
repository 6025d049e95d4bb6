"""The server of the permission table: what is in it, and who."""

from collections.abc import Mapping

import requests

from tests.contract.calls import create_view_request, local, no_content, ok
from tests.contract.holding import DAY
from tests.contract.managed import WAREHOUSES, Grounds, create
from tests.contract.permissions.asked import DOOMED, Sent, request_of
from tests.contract.permissions.places import NOWHERE, Facts, Place
from tests.contract.permissions.seed import Seed
from tests.contract.permissions.state import State
from tests.contract.permissions.table import Cell, Rights, Table
from tests.factories import create_table_request, function_metadata
from tests.support.server import TestServer

ROOT = "root"
EVERYTHING = Rights(grants=((("administer",), "server"),))
NAMESPACES = ("home", "home.child", "home.empty", DOOMED, "side", "side.empty")
TABLES = ("home.u", "home.child.t", "side.t", "other:away.t")
VIEWS = ("home.v", "home.child.v", "side.v")
FUNCTIONS = ("home.f", "side.f")
FROM_ABOVE = {"table": "namespace:home", "namespace": "warehouse:default"}


class World:
    """Each principal of the table has a key; ``files`` are those of the default warehouse."""

    def __init__(self, server: TestServer, grounds: Grounds, table: Table) -> None:
        assert server.database is not None
        self.server, self.grounds = server, grounds
        self.client = server.client()
        self.seed = Seed(server.database)
        self.keys: dict[str, str] = {}
        self._ids: dict[str, int] = {}
        self._key_ids: dict[str, int] = {}
        self.enter(ROOT, EVERYTHING)
        self.facts = self._furnish(table)
        self._give(table)
        self.state = State(server.database)
        self.files = server.warehouse.files()

    def ask(self, principal: str, sent: Sent, headers: Mapping[str, str] = {}) -> requests.Response:
        headers = {"X-API-Key": self.keys[principal], **headers}
        return self.client.request(sent.method, sent.path, json=sent.body, headers=headers)

    def ask_cell(self, cell: Cell, headers: Mapping[str, str] = {}) -> requests.Response:
        return self.ask(cell.principal, request_of(cell.operation, cell.target, self.facts), headers)

    def enter(self, name: str, rights: Rights) -> None:
        number = self._ids[name] = self.seed.principal(name, disabled=rights.disabled)
        self.keys[name], self._key_ids[name] = self.seed.key(number, rights.scope)
        if name == ROOT:
            self.seed.give(rights, principal=number)

    def changes(self) -> list[str]:
        """Return the tables of the database that are not as they were at first, and files that were not there."""
        now = self.state.now()
        tables = [name for name, digest in now.items() if digest != self.state.saved[name]]
        return tables + sorted(self.server.warehouse.files() - self.files)

    def restore(self) -> None:
        """Make everything as it was at first."""
        self.state.restore()
        for location in self.server.warehouse.files() - self.files:
            local(location).unlink()

    def number(self, principal: str) -> int:
        """Return the id of a principal."""
        return self._ids[principal]

    def allow(self, principal: str, privilege: str, target: str) -> int:
        """Return the grant's id."""
        return self.seed.grant(privilege, target, self._ids[principal])

    def _furnish(self, table: Table) -> Facts:
        for name, rights in table.principals.items():
            self.enter(name, rights)
        self._create_warehouses()
        owners = {target: name for name, rights in table.principals.items() for target in rights.owns}
        for target in NAMESPACES:
            self._create("namespace", target, owners)
        for target in ("home.t", *TABLES):
            self._create("table", target, owners)
        for target in VIEWS:
            self._create("view", target, owners)
        for target in FUNCTIONS:
            self._create("function", target, owners)
        loose = {"table": self._lose("table", "unregister"), "view": self._lose("view", "")}
        ok(
            self._root(
                "PATCH", f"{WAREHOUSES}/default", {"soft-delete": {"enabled": True, "hold-seconds": DAY}}
            )
        )
        return Facts(loose, f"file://{self.grounds.roots}", self._hold(), self._start_job(), self._key_ids)

    def _create_warehouses(self) -> None:
        self.client.headers["X-API-Key"] = self.keys[ROOT]
        for name in ("other", "spare"):
            create(self.client, self.grounds.local(), name)
        ok(self._root("POST", "/v1/other/namespaces", {"namespace": ["away"]}))
        del self.client.headers["X-API-Key"]

    def _create(self, kind: str, target: str, owners: Mapping[str, str]) -> None:
        """Create an object as its owner, who may do so for just that time."""
        place, owner = Place.of(target), owners.get(f"{kind}:{target}", ROOT)
        may = self.allow(owner, "create", FROM_ABOVE[kind]) if owner != ROOT else None
        ok(self.ask(owner, creation(kind, place)))
        if may is not None:
            self.seed.ungrant(may)

    def _lose(self, kind: str, how: str) -> str:
        """Create something, have it forgotten, and return where its metadata is."""
        place = Place.of("home.loose")
        created = ok(self.ask(ROOT, creation(kind, place)))
        if how:
            ok(self._root("POST", f"{place.object(kind)}/{how}"))
        else:
            no_content(self._root("DELETE", place.object(kind)))
        return str(created["metadata-location"])

    def _hold(self) -> int:
        place = Place.of("home.gone")
        ok(self.ask(ROOT, creation("table", place)))
        no_content(self._root("DELETE", place.object("table")))
        ((number,),) = self.seed.database.query("SELECT id FROM held_tabulars WHERE name = 'gone'")
        return int(number)

    def _start_job(self) -> int:
        """Have the one who may drop start a job, which nobody runs."""
        grant = self.allow("dr", "drop", "namespace:home")
        answer = self.ask("dr", request_of("dropNamespaceWithContent:recursive", DOOMED, NOWHERE))
        self.seed.ungrant(grant)
        return int(ok(answer, 202)["job-id"])

    def _give(self, table: Table) -> None:
        roles = {name: self.seed.role(name) for name in table.roles}
        for name, rights in table.roles.items():
            self.seed.give(rights, role=roles[name])
        for name, rights in table.principals.items():
            self.seed.give(rights, principal=self._ids[name])

    def _root(self, method: str, path: str, body: object = None) -> requests.Response:
        return self.ask(ROOT, Sent(method, path, body))


def creation(kind: str, place: Place) -> Sent:
    if kind == "namespace":
        return Sent("POST", f"{place.prefix}/namespaces", {"namespace": place.levels})
    if kind == "function":
        body = {"name": place.name, "metadata": function_metadata()}
        return Sent("POST", f"{place.above.managed_namespace}/functions", body)
    body = (create_table_request if kind == "table" else create_view_request)(place.name)
    return Sent("POST", f"{place.above.namespace}/{kind}s", body)
