"""The request of every operation of the Iceberg API and of the management API, by its name in our document."""

from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import quote

from tests.contract.bodies import ASSERT_CREATE, append
from tests.contract.calls import create_view_request, segment, view_version
from tests.contract.permissions.places import Facts, Place, both, ends
from tests.contract.test_credentials import SIGN
from tests.contract.test_every_operation import REPORT
from tests.factories import commit_request, create_table_request, function_metadata, schema, set_properties

MANAGEMENT = "/management/v1"
DOOMED = "home.doomed"
PLAN = {"filter": True}
REMOVAL = {"action": "remove-properties", "removals": ["kept"]}
OLDER_FORMAT = {"action": "upgrade-format-version", "format-version": 2}
ADDED_SCHEMA = {"action": "add-schema", "schema": schema(schema_id=1)}
COMMITS: dict[str, list[dict[str, Any]]] = {
    "data": append(1, 1),
    "properties": [set_properties(a="1"), REMOVAL],
    "removal": [REMOVAL],
    "mixed": [set_properties(a="1"), *append(1, 1)],
    "location": [set_properties(a="1"), OLDER_FORMAT],
    "schema": [ADDED_SCHEMA],
}
CREATION = commit_request(ADDED_SCHEMA, requirements=[ASSERT_CREATE])


class Sent(NamedTuple):
    """A request without who makes it."""

    method: str
    path: str
    body: Any = None


Ask = Callable[[str, Facts], Sent]


def get_config(target: str, facts: Facts) -> Sent:
    return Sent("GET", "/v1/config" if target == "-" else f"/v1/config?warehouse={target}")


def list_namespaces(target: str, facts: Facts) -> Sent:
    place = Place.of(target)
    parent = "" if not place.levels else f"?parent={'%1F'.join(map(segment, place.levels))}"
    return Sent("GET", f"{place.prefix}/namespaces{parent}")


def create_namespace(target: str, facts: Facts) -> Sent:
    place = Place.of(target)
    return Sent("POST", f"{place.prefix}/namespaces", {"namespace": [*place.levels, "new"]})


def at_namespace(method: str, below: str = "", body: Any = None) -> Ask:
    return lambda target, facts: Sent(method, Place.of(target).namespace + below, body)


def at_object(method: str, kind: str, below: str = "", body: Any = None) -> Ask:
    return lambda target, facts: Sent(method, Place.of(target).object(kind) + below, body)


def managed_namespace(method: str, below: str = "", body: Any = None) -> Ask:
    return lambda target, facts: Sent(method, Place.of(target).managed_namespace + below, body)


def managed_object(method: str, kind: str, below: str = "", body: Any = None) -> Ask:
    return lambda target, facts: Sent(method, Place.of(target).managed(kind) + below, body)


def managed_warehouse(method: str, below: str = "", body: Any = None) -> Ask:
    return lambda target, facts: Sent(method, f"{MANAGEMENT}/warehouses/{target}{below}", body)


def register(kind: str, route: str) -> Ask:
    def ask(target: str, facts: Facts) -> Sent:
        body = {"name": "new", "metadata-location": facts.loose[kind]}
        return Sent("POST", f"{Place.of(target).namespace}/{route}", body)

    return ask


def register_over(target: str, facts: Facts) -> Sent:
    place = Place.of(target)
    body = {"name": place.name, "metadata-location": facts.loose["table"], "overwrite": True}
    return Sent("POST", f"{place.above.namespace}/register", body)


def create_taken(target: str, facts: Facts) -> Sent:
    place = Place.of(target)
    return Sent("POST", f"{place.above.namespace}/tables", create_table_request(place.name))


def rename(kind: str) -> Ask:
    def ask(target: str, facts: Facts) -> Sent:
        source, destination = ends(target)
        body = {"source": source.identifier, "destination": destination.identifier}
        return Sent("POST", f"{source.prefix}/{kind}s/rename", body)

    return ask


def rename_namespace(target: str, facts: Facts) -> Sent:
    source, destination = ends(target)
    return Sent("POST", f"{source.managed_namespace}/rename", {"destination": destination.levels})


def transaction(*bodies: dict[str, Any]) -> Ask:
    """One change to each object of the target; the last body is for all that follow."""

    def ask(target: str, facts: Facts) -> Sent:
        places = both(target)
        given = [*bodies, *[bodies[-1]] * len(places)]
        changes = [
            {"identifier": place.identifier, **body} for place, body in zip(places, given, strict=False)
        ]
        return Sent("POST", f"{places[0].prefix}/transactions/commit", {"table-changes": changes})

    return ask


def sign(method: str) -> Ask:
    body: dict[str, Any] = {**SIGN, "method": method}
    if method == "POST":
        body |= {"uri": f"{SIGN['uri']}?delete", "body": "<Delete/>"}
    return at_object("POST", "table", "/sign", body)


def create_warehouse(target: str, facts: Facts) -> Sent:
    profile = {"type": "local", "root-location": f"{facts.grounds}/new"}
    return Sent("POST", f"{MANAGEMENT}/warehouses", {"name": "new", "storage-profile": profile})


def undrop(target: str, facts: Facts) -> Sent:
    place = Place.of(target)
    path = f"{MANAGEMENT}/warehouses/{place.warehouse}/dropped/{facts.held}/undrop"
    return Sent("POST", path, {"namespace": place.above.levels, "name": place.name})


def expire(target: str, facts: Facts) -> Sent:
    return Sent("DELETE", f"{MANAGEMENT}/warehouses/{target}/dropped/{facts.held}")


def job(method: str) -> Ask:
    return lambda target, facts: Sent(method, f"{MANAGEMENT}/jobs/{facts.job}")


def fixed(method: str, path: str, body: Any = None) -> Ask:
    """A request to the management API in which the target is part of the path, or of nothing."""
    return lambda target, facts: Sent(method, MANAGEMENT + path.format(target), body)


def at_key(method: str, path: str) -> Ask:
    """About the key of the principal that is the target."""
    return lambda target, facts: Sent(method, path.format(facts.keys[target]))


def about(method: str, path: str, member: str, **more: Any) -> Ask:
    """A request whose body names the target."""
    return lambda target, facts: Sent(method, MANAGEMENT + path, {member: target, **more})


def thing(target: str) -> tuple[str, Place | str]:
    """Return kind and name of what a grant is on; of warehouses and the server just the name."""
    kind, _, name = target.partition(":")
    return kind, name if kind in {"server", "warehouse"} else Place.of(name)


def list_grants_on(target: str, facts: Facts) -> Sent:
    kind, name = thing(target)
    if isinstance(name, Place):
        outer, inner = (name.levels, []) if kind == "namespace" else (name.above.levels, [name.name])
        name = "/".join([name.warehouse, "%1F".join(outer), *inner])
    return Sent("GET", f"{MANAGEMENT}/grants?object={quote(f'{kind}:{name}' if name else kind, safe='')}")


def grants(path: str, privilege: str, to: str) -> Ask:
    def ask(target: str, facts: Facts) -> Sent:
        kind, name = thing(target)
        members = name.members(kind) if isinstance(name, Place) else {"warehouse": name} if name else {}
        body = {"privileges": [privilege], "object": members, "to": {"principal": to}}
        return Sent("POST", MANAGEMENT + path, body)

    return ask


VERSION = {"action": "add-view-version", "view-version": view_version("SELECT 2", **{"version-id": 2})}
CURRENT = {"action": "set-current-view-version", "view-version-id": -1}
SIGN_BY_OBJECT = {**SIGN, "method": "GET"}
NEW_KEY = {"name": "new", "scopes": ["catalog"]}
# Who has the privilege that is taken away, where somebody has.
HOLDERS = {"manage-grants": "gm", "list": "li", "create": "wc", "read-metadata": "sr", "read-data": "t1"}
FUNCTION = {"name": "new", "metadata": function_metadata()}
PROTECTED = {"protected": True}
OPERATIONS: dict[str, Ask] = {
    "getConfig": get_config,
    "listNamespaces": list_namespaces,
    "namespaceExists": at_namespace("HEAD"),
    "loadNamespace": at_namespace("GET"),
    "createNamespace": create_namespace,
    "dropNamespace": at_namespace("DELETE"),
    "updateProperties": at_namespace("POST", "/properties", {"updates": {"a": "1"}}),
    "listTables": at_namespace("GET", "/tables"),
    "tableExists": at_object("HEAD", "table"),
    "loadTable": at_object("GET", "table"),
    "createTable": at_namespace("POST", "/tables", create_table_request("new")),
    "createTable:stage": at_namespace(
        "POST", "/tables", create_table_request("new", **{"stage-create": True})
    ),
    "createTable:taken": create_taken,
    "registerTable": register("table", "register"),
    "registerTable:over": register_over,
    **{
        f"updateTable:{kind}": at_object("POST", "table", "", commit_request(*updates))
        for kind, updates in COMMITS.items()
    },
    "updateTable:create": at_object("POST", "table", "", CREATION),
    "dropTable": at_object("DELETE", "table"),
    "dropTable:purge": at_object("DELETE", "table", "?purgeRequested=true"),
    "dropTable:force": at_object("DELETE", "table", "?force=true"),
    "unregisterTable": at_object("POST", "table", "/unregister"),
    "renameTable": rename("table"),
    "commitTransaction:data": transaction(commit_request(*COMMITS["data"])),
    "commitTransaction:properties": transaction(commit_request(*COMMITS["properties"])),
    "commitTransaction:mixed": transaction(
        commit_request(*COMMITS["properties"]), commit_request(*COMMITS["data"])
    ),
    "commitTransaction:create": transaction(commit_request(*COMMITS["data"]), CREATION),
    "loadCredentials": at_object("GET", "table", "/credentials"),
    **{f"signRequest:{method}": sign(method) for method in ("GET", "HEAD", "PUT", "POST", "DELETE")},
    "reportMetrics": at_object("POST", "table", "/metrics", REPORT),
    "planTableScan": at_object("POST", "table", "/plan", PLAN),
    "fetchPlanningResult": at_object("GET", "table", "/plan/some-id"),
    "cancelPlanning": at_object("DELETE", "table", "/plan/some-id"),
    "fetchScanTasks": at_object("POST", "table", "/tasks", {"plan-task": "some-task"}),
    "listViews": at_namespace("GET", "/views"),
    "viewExists": at_object("HEAD", "view"),
    "loadView": at_object("GET", "view"),
    "createView": at_namespace("POST", "/views", create_view_request("new")),
    "registerView": register("view", "register-view"),
    "replaceView:version": at_object("POST", "view", "", commit_request(VERSION, CURRENT)),
    "replaceView:properties": at_object("POST", "view", "", commit_request(set_properties(a="1"))),
    "dropView": at_object("DELETE", "view"),
    "renameView": rename("view"),
    "listFunctions": at_namespace("GET", "/functions"),
    "loadFunction": at_object("GET", "function"),
    "createFunction": managed_namespace("POST", "/functions", FUNCTION),
    "dropFunction": managed_object("DELETE", "function"),
    "listWarehouses": lambda target, facts: Sent("GET", f"{MANAGEMENT}/warehouses"),
    "createWarehouse": create_warehouse,
    "loadWarehouse": managed_warehouse("GET"),
    "updateWarehouse": managed_warehouse("PATCH", "", {"soft-delete": {"enabled": True, "hold-seconds": 7}}),
    "deleteWarehouse": managed_warehouse("DELETE"),
    "namespaceProtection": managed_namespace("GET", "/protection"),
    "protectNamespace": managed_namespace("PUT", "/protection", PROTECTED),
    "tableProtection": managed_object("GET", "table", "/protection"),
    "protectTable": managed_object("PUT", "table", "/protection", PROTECTED),
    "viewProtection": managed_object("GET", "view", "/protection"),
    "protectView": managed_object("PUT", "view", "/protection", PROTECTED),
    "renameNamespace": rename_namespace,
    "dropNamespaceWithContent:recursive": managed_namespace("DELETE", "?recursive=true"),
    "dropNamespaceWithContent:alone": managed_namespace("DELETE"),
    "listDropped": managed_warehouse("GET", "/dropped"),
    "undrop": undrop,
    "expire": expire,
    "listMetricReports": managed_object("GET", "table", "/metrics"),
    "listJobs": lambda target, facts: Sent("GET", f"{MANAGEMENT}/jobs"),
    "loadJob": job("GET"),
    "cancelJob": job("DELETE"),
    "signRequestByObject": lambda target, facts: Sent("POST", f"/v1/{target}/aws/s3/sign", SIGN_BY_OBJECT),
    "listEvents": fixed("GET", "/audit"),
    "listPrincipals": fixed("GET", "/principals"),
    "createPrincipal": fixed("POST", "/principals", {"name": "new"}),
    "loadPrincipal": fixed("GET", "/principals/{}"),
    "updatePrincipal": fixed("PATCH", "/principals/{}", {"disabled": True}),
    "deletePrincipal": fixed("DELETE", "/principals/{}"),
    "rotateSecret": fixed("POST", "/principals/{}/rotate", {"old-valid-for": "0h"}),
    "listKeys": fixed("GET", "/keys"),
    "createKey": about("POST", "/keys", "principal", **NEW_KEY),
    "createKey:own": fixed("POST", "/keys", {"name": "new", "scopes": ["read"]}),
    "rotateKey": at_key("POST", f"{MANAGEMENT}/keys/{{}}/rotate"),
    "revokeKey": at_key("DELETE", f"{MANAGEMENT}/keys/{{}}"),
    "listApiKeys": lambda target, facts: Sent("GET", "/v1/api-keys"),
    "createApiKey": lambda target, facts: Sent("POST", "/v1/api-keys", {"name": "new", "scopes": ["read"]}),
    "rotateApiKey": at_key("POST", "/v1/api-keys/{}/rotate"),
    "deleteApiKey": at_key("DELETE", "/v1/api-keys/{}"),
    "revokeTokens": about("POST", "/tokens/revoke", "principal"),
    "listRoles": fixed("GET", "/roles"),
    "createRole": fixed("POST", "/roles", {"name": "new"}),
    "deleteRole": fixed("DELETE", "/roles/{}"),
    "listRoleMembers": fixed("GET", "/roles/{}/members"),
    "addPrincipalToRole": fixed("PUT", "/roles/{}/members/principals/li"),
    "removePrincipalFromRole": fixed("DELETE", "/roles/{}/members/principals/ne"),
    "addRoleToRole": fixed("PUT", "/roles/{}/members/roles/third"),
    "removeRoleFromRole": fixed("DELETE", "/roles/{}/members/roles/inner"),
    "explain": fixed("GET", "/explain?principal={}&action=list&object=namespace%3Adefault%2Fhome"),
    "explain:unseen": fixed("GET", "/explain?principal={}&action=list&object=namespace%3Adefault%2Fside"),
    "explain:error": fixed("GET", "/explain?error-id=nobody-had-this"),
    "listGrants:object": list_grants_on,
    "listGrants:principal": fixed("GET", "/grants?principal={}"),
    "listGrants:effective": fixed("GET", "/grants?principal={}&effective=true"),
    "listGrants:role": fixed("GET", "/grants?role={}"),
    **{
        f"grant:{privilege}": grants("/grants", privilege, "no")
        for privilege in (*HOLDERS, "administer", "drop")
        if privilege != "list"
    },
    **{
        f"revoke:{privilege}": grants("/grants/revoke", privilege, holder)
        for privilege, holder in {**HOLDERS, "administer": "os"}.items()
    },
}


def request_of(operation: str, target: str, facts: Facts) -> Sent:
    return OPERATIONS[operation](target, facts)
