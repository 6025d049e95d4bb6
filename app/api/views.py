"""View operations."""

from app.api.answers import Response, json_answer, metadata_answer, no_content
from app.api.authorization import demand, viewer, wanted
from app.api.bodies import read_body
from app.api.context import caller, catalog, warehouse
from app.api.declarations import FORCE, IDEMPOTENCY_KEY, PAGES, REFERENCED_BY
from app.api.names import identifier_of, name_of
from app.api.needs import CREATING, asks, needs
from app.api.operations import Operations
from app.api.pages import requested_page
from app.api.parameters import boolean_parameter
from app.api.references import referenced_by
from app.api.schemas.tables import RenameTableRequestSchema
from app.api.schemas.views import (
    CommitViewRequestSchema,
    CreateViewRequestSchema,
    RegisterViewRequestSchema,
)
from app.auth.privileges import Privilege
from app.catalog import views
from app.catalog.views import NewView
from app.errors import (
    AlreadyExistsException,
    CommitFailedException,
    ConflictException,
    NoSuchNamespaceException,
    NoSuchViewException,
    NotFoundException,
)
from app.identifiers import Namespace, TableIdentifier

resource = Operations("views")


@resource.operation(
    "GET",
    "/namespaces/{namespace}/views",
    "List the views of a namespace",
    is_kept=True,
    takes=PAGES,
    answers={200: "ListTablesResponse"},
    fails=[NoSuchNamespaceException],
    needs=asks("any privilege on the namespace or on something in it; what may not be seen is left out"),
)
def list_views(namespace: Namespace) -> Response:
    page = requested_page("views", warehouse().id, *namespace)
    found = views.list_views(catalog(), warehouse(), namespace, page.after, page.limit, viewer())
    names, token = page.cut(found, str)
    identifiers = [{"namespace": namespace, "name": name} for name in names]
    return json_answer({"identifiers": identifiers, "next-page-token": token})


@resource.operation(
    "POST",
    "/namespaces/{namespace}/views",
    "Create a view",
    takes=[IDEMPOTENCY_KEY],
    body=CreateViewRequestSchema,
    answers={200: "LoadViewResult"},
    fails=[NoSuchNamespaceException, NoSuchViewException, AlreadyExistsException],
    needs=needs(Privilege.CREATE, on="namespace"),
)
def create_view(namespace: Namespace) -> Response:
    body = read_body(CreateViewRequestSchema)
    new = NewView(
        identifier=TableIdentifier(namespace, name_of(body["name"])),
        schema=body["schema"],
        view_version=body["view_version"],
        location=body["location"],
        properties=body["properties"],
    )
    return metadata_answer(*views.create_view(catalog(), caller(), warehouse(), new), config=True)


@resource.operation(
    "POST",
    "/namespaces/{namespace}/register-view",
    "Register a view by its metadata file",
    takes=[IDEMPOTENCY_KEY],
    body=RegisterViewRequestSchema,
    answers={200: "LoadViewResult"},
    fails=[
        NoSuchNamespaceException,
        NoSuchViewException,
        NotFoundException,
        AlreadyExistsException,
    ],
    needs=needs(Privilege.CREATE, on="namespace"),
)
def register_view(namespace: Namespace) -> Response:
    body = read_body(RegisterViewRequestSchema)
    loaded = views.register_view(
        catalog(),
        caller(),
        warehouse(),
        TableIdentifier(namespace, name_of(body["name"])),
        body["metadata_location"],
    )
    return metadata_answer(*loaded, config=True)


@resource.operation(
    "HEAD",
    "/namespaces/{namespace}/views/{view}",
    "Ask whether a view exists",
    is_kept=True,
    fails=[NoSuchViewException],
    needs=needs(on="view"),
)
def view_exists(view: TableIdentifier) -> Response:
    views.view_exists(catalog(), warehouse(), view)
    return no_content()


@resource.operation(
    "GET",
    "/namespaces/{namespace}/views/{view}",
    "Load a view",
    is_kept=True,
    takes=[REFERENCED_BY],
    answers={200: "LoadViewResult"},
    fails=[NoSuchViewException],
    needs=needs(Privilege.READ_METADATA, on="view"),
)
def load_view(view: TableIdentifier) -> Response:
    referenced_by()
    return metadata_answer(*views.load_view(catalog(), warehouse(), view), config=True)


@resource.operation(
    "POST",
    "/namespaces/{namespace}/views/{view}",
    "Commit updates to a view",
    takes=[IDEMPOTENCY_KEY],
    body=CommitViewRequestSchema,
    answers={200: "LoadViewResult"},
    fails=[NoSuchViewException, CommitFailedException],
    needs=needs(Privilege.WRITE_DATA, on="view"),
)
def replace_view(view: TableIdentifier) -> Response:
    body = read_body(CommitViewRequestSchema)
    committed = views.replace_view(
        catalog(), caller(), warehouse(), view, body["requirements"], body["updates"]
    )
    return metadata_answer(*committed, config=True)


@resource.operation(
    "DELETE",
    "/namespaces/{namespace}/views/{view}",
    "Drop a view",
    takes=[FORCE, IDEMPOTENCY_KEY],
    fails=[NoSuchViewException, ConflictException],
    needs=needs(Privilege.DROP, on="view"),
)
def drop_view(view: TableIdentifier) -> Response:
    views.drop_view(catalog(), caller(), warehouse(), view, force=boolean_parameter("force"))
    return no_content()


@resource.operation(
    "POST",
    "/views/rename",
    "Rename a view, also into another namespace",
    takes=[IDEMPOTENCY_KEY],
    body=RenameTableRequestSchema,
    fails=[NoSuchViewException, NoSuchNamespaceException, AlreadyExistsException],
    needs=asks("`drop` on the view and `create` on the namespace it comes to"),
)
def rename_view() -> Response:
    body = read_body(RenameTableRequestSchema)
    source = identifier_of(body["source"], "source")
    destination = identifier_of(body["destination"], "destination")
    demand(wanted(needs(Privilege.DROP, on="view"), source), wanted(CREATING, destination.namespace))
    views.rename_view(catalog(), caller(), warehouse(), source, destination)
    return no_content()
