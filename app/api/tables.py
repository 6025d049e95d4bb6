"""Table operations."""

from flask import request

from app.api.answers import Response, json_answer, metadata_answer, no_content, not_modified
from app.api.authorization import demand, viewer, wanted
from app.api.bodies import read_body
from app.api.commit_needs import WRITING, wanted_for_commits
from app.api.context import caller, catalog, warehouse
from app.api.data_access import (
    committed_answer,
    data_access,
    known_table,
    loaded_answer,
    made_answer,
    owners_access,
    staged_answer,
)
from app.api.declarations import (
    DATA_ACCESS,
    FORCE,
    IDEMPOTENCY_KEY,
    IF_NONE_MATCH,
    PAGES,
    PURGE,
    REFERENCED_BY,
    SNAPSHOTS,
    tagged,
)
from app.api.names import identifier_of, name_of
from app.api.needs import CREATING, asks, needs
from app.api.operations import Operations
from app.api.pages import requested_page
from app.api.parameters import boolean_parameter, choice_parameter
from app.api.references import referenced_by
from app.api.schemas.tables import (
    CommitTableRequestSchema,
    CreateTableRequestSchema,
    RegisterTableRequestSchema,
    RenameTableRequestSchema,
)
from app.auth.privileges import Privilege
from app.catalog import tables
from app.catalog.table_requests import NewTable, TableCommit
from app.errors import (
    AlreadyExistsException,
    CommitFailedException,
    ConflictException,
    NoSuchNamespaceException,
    NoSuchTableException,
    NotFoundException,
)
from app.identifiers import Namespace, TableIdentifier

resource = Operations("tables")


@resource.operation(
    "GET",
    "/namespaces/{namespace}/tables",
    "List the tables of a namespace",
    is_kept=True,
    takes=PAGES,
    answers={200: "ListTablesResponse"},
    fails=[NoSuchNamespaceException],
    needs=asks("any privilege on the namespace or on something in it; what may not be seen is left out"),
)
def list_tables(namespace: Namespace) -> Response:
    page = requested_page("tables", warehouse().id, *namespace)
    found = tables.list_tables(catalog(), warehouse(), namespace, page.after, page.limit, viewer())
    names, token = page.cut(found, str)
    identifiers = [{"namespace": namespace, "name": name} for name in names]
    return json_answer({"identifiers": identifiers, "next-page-token": token})


@resource.operation(
    "POST",
    "/namespaces/{namespace}/tables",
    "Create a table, or stage its creation",
    takes=[DATA_ACCESS, IDEMPOTENCY_KEY],
    body=CreateTableRequestSchema,
    answers={200: tagged("LoadTableResult")},
    fails=[NoSuchNamespaceException, NoSuchTableException, AlreadyExistsException],
    needs=needs(Privilege.CREATE, on="namespace"),
)
def create_table(namespace: Namespace) -> Response:
    body = read_body(CreateTableRequestSchema)
    new = NewTable(
        identifier=TableIdentifier(namespace, name_of(body["name"])),
        schema=body["schema"],
        location=body["location"],
        partition_spec=body["partition_spec"],
        write_order=body["write_order"],
        properties=body["properties"],
    )
    if body["stage_create"]:
        return staged_answer(new.identifier, tables.stage_table(catalog(), caller(), warehouse(), new))
    made = tables.create_table(catalog(), caller(), warehouse(), new)
    return made_answer(new.identifier, made, owners_access())


@resource.operation(
    "POST",
    "/namespaces/{namespace}/register",
    "Register a table by its metadata file",
    takes=[DATA_ACCESS, IDEMPOTENCY_KEY],
    body=RegisterTableRequestSchema,
    answers={200: tagged("LoadTableResult")},
    fails=[
        NoSuchNamespaceException,
        NoSuchTableException,
        NotFoundException,
        AlreadyExistsException,
    ],
    needs=asks("`create` on the namespace; `write-data` on the table as well if it overwrites one"),
)
def register_table(namespace: Namespace) -> Response:
    body = read_body(RegisterTableRequestSchema)
    table = TableIdentifier(namespace, name_of(body["name"]))
    overwriting = [wanted(WRITING, table, may_be_missing=True)] if body["overwrite"] else []
    demand(wanted(CREATING, namespace), *overwriting)
    # Overwriting somebody's table does not make it one's own.
    data = data_access(table) if body["overwrite"] else owners_access()
    registered = tables.register_table(
        catalog(), caller(), warehouse(), table, body["metadata_location"], overwrite=body["overwrite"]
    )
    return made_answer(table, registered, data)


@resource.operation(
    "HEAD",
    "/namespaces/{namespace}/tables/{table}",
    "Ask whether a table exists",
    is_kept=True,
    fails=[NoSuchTableException],
    needs=needs(on="table"),
)
def table_exists(table: TableIdentifier) -> Response:
    tables.table_exists(catalog(), warehouse(), table)
    return no_content()


@resource.operation(
    "GET",
    "/namespaces/{namespace}/tables/{table}",
    "Load a table",
    is_kept=True,
    takes=[DATA_ACCESS, IF_NONE_MATCH, SNAPSHOTS, REFERENCED_BY],
    answers={200: tagged("LoadTableResult"), 304: tagged(None)},
    fails=[NoSuchTableException],
    needs=needs(Privilege.READ_METADATA, on="table"),
)
def load_table(table: TableIdentifier) -> Response:
    snapshots = choice_parameter("snapshots", ("all", "refs"))
    referenced_by()
    if "If-None-Match" in request.headers:
        pointer = tables.load_table_pointer(catalog(), warehouse(), table)
        known = known_table(table, pointer, snapshots)
        if known is not None:
            return not_modified(known)
    loaded = tables.load_table(catalog(), warehouse(), table, referenced_only=snapshots == "refs")
    return loaded_answer(table, loaded, snapshots)


@resource.operation(
    "POST",
    "/namespaces/{namespace}/tables/{table}",
    "Commit updates to a table, or create a staged one",
    takes=[IDEMPOTENCY_KEY],
    body=CommitTableRequestSchema,
    answers={200: tagged("CommitTableResponse")},
    fails=[
        NoSuchTableException,
        NoSuchNamespaceException,
        AlreadyExistsException,
        CommitFailedException,
    ],
    needs=asks(
        "`write-data` on the table, or `manage-properties` where only properties are set or removed;"
        " `create` on the namespace to create it"
    ),
)
def update_table(table: TableIdentifier) -> Response:
    body = read_body(CommitTableRequestSchema)
    demand(*wanted_for_commits([TableCommit(table, body["requirements"], body["updates"])]))
    committed = tables.update_table(
        catalog(), caller(), warehouse(), table, body["requirements"], body["updates"]
    )
    return committed_answer(committed)


@resource.operation(
    "DELETE",
    "/namespaces/{namespace}/tables/{table}",
    "Drop a table, and its files if asked to",
    takes=[PURGE, FORCE, IDEMPOTENCY_KEY],
    fails=[NoSuchTableException, ConflictException],
    needs=needs(Privilege.DROP, on="table"),
)
def drop_table(table: TableIdentifier) -> Response:
    purge, force = boolean_parameter("purgeRequested"), boolean_parameter("force")
    tables.drop_table(catalog(), caller(), warehouse(), table, purge=purge, force=force)
    return no_content()


@resource.operation(
    "POST",
    "/namespaces/{namespace}/tables/{table}/unregister",
    "Forget a table and say where its metadata is",
    takes=[FORCE, IDEMPOTENCY_KEY],
    answers={200: "UnregisterTableResult"},
    fails=[NoSuchTableException, ConflictException],
    needs=needs(Privilege.DROP, on="table"),
)
def unregister_table(table: TableIdentifier) -> Response:
    force = boolean_parameter("force")
    gone = tables.unregister_table(catalog(), caller(), warehouse(), table, force=force)
    return metadata_answer(*gone, config=False)


@resource.operation(
    "POST",
    "/tables/rename",
    "Rename a table, also into another namespace",
    takes=[IDEMPOTENCY_KEY],
    body=RenameTableRequestSchema,
    fails=[NoSuchTableException, NoSuchNamespaceException, AlreadyExistsException],
    needs=asks("`drop` on the table and `create` on the namespace it comes to"),
)
def rename_table() -> Response:
    body = read_body(RenameTableRequestSchema)
    source = identifier_of(body["source"], "source")
    destination = identifier_of(body["destination"], "destination")
    demand(wanted(needs(Privilege.DROP, on="table"), source), wanted(CREATING, destination.namespace))
    tables.rename_table(catalog(), caller(), warehouse(), source, destination)
    return no_content()
