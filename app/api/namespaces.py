"""Namespace operations."""

from app.api.answers import Response, json_answer, no_content
from app.api.authorization import demand, demand_at_large, viewer, wanted
from app.api.bodies import read_body
from app.api.context import caller, catalog, warehouse
from app.api.declarations import FORCE, IDEMPOTENCY_KEY, PAGES, PARENT
from app.api.names import namespace_of
from app.api.needs import CREATING, asks, needs
from app.api.operations import Operations
from app.api.pages import requested_page
from app.api.parameters import boolean_parameter, text_parameter
from app.api.schemas.namespaces import CreateNamespaceRequestSchema, UpdateNamespacePropertiesRequestSchema
from app.auth.privileges import Privilege
from app.catalog import namespaces
from app.catalog.namespaces import LoadedNamespace
from app.errors import (
    AlreadyExistsException,
    ConflictException,
    NamespaceNotEmptyException,
    NoSuchNamespaceException,
    UnprocessableEntityException,
)
from app.identifiers import Namespace, decode_segment, split_namespace

resource = Operations("namespaces")


@resource.operation(
    "GET",
    "/namespaces",
    "List the namespaces below a parent, or those without one",
    is_kept=True,
    takes=[PARENT, *PAGES],
    answers={200: "ListNamespacesResponse"},
    fails=[NoSuchNamespaceException],
    needs=asks("any privilege on the parent or on something in it; what may not be seen is left out"),
)
def list_namespaces() -> Response:
    text = text_parameter("parent")
    try:
        return _list_children(split_namespace(text) if text else None)
    except NoSuchNamespaceException:
        # PyIceberg encodes the levels of parent once more than its HTTP library does anyway.
        if not text or "%" not in text:
            raise
        return _list_children(Namespace(decode_segment(level) for level in split_namespace(text)))


@resource.operation(
    "POST",
    "/namespaces",
    "Create a namespace",
    takes=[IDEMPOTENCY_KEY],
    body=CreateNamespaceRequestSchema,
    answers={200: "CreateNamespaceResponse"},
    fails=[NoSuchNamespaceException, AlreadyExistsException],
    needs=asks("`create` on the parent, without one on the warehouse"),
)
def create_namespace() -> Response:
    body = read_body(CreateNamespaceRequestSchema)
    levels = namespace_of(body["namespace"])
    demand_creation_below(levels.parent)
    return _answer(namespaces.create_namespace(catalog(), caller(), warehouse(), levels, body["properties"]))


@resource.operation(
    "HEAD",
    "/namespaces/{namespace}",
    "Ask whether a namespace exists",
    is_kept=True,
    fails=[NoSuchNamespaceException],
    needs=needs(on="namespace"),
)
def namespace_exists(namespace: Namespace) -> Response:
    namespaces.namespace_exists(catalog(), warehouse(), namespace)
    return no_content()


@resource.operation(
    "GET",
    "/namespaces/{namespace}",
    "Load the properties of a namespace",
    is_kept=True,
    answers={200: "GetNamespaceResponse"},
    fails=[NoSuchNamespaceException],
    needs=needs(Privilege.READ_METADATA, on="namespace"),
)
def load_namespace(namespace: Namespace) -> Response:
    return _answer(namespaces.load_namespace(catalog(), warehouse(), namespace))


@resource.operation(
    "DELETE",
    "/namespaces/{namespace}",
    "Drop an empty namespace",
    takes=[FORCE, IDEMPOTENCY_KEY],
    fails=[NoSuchNamespaceException, NamespaceNotEmptyException, ConflictException],
    needs=needs(Privilege.DROP, on="namespace"),
)
def drop_namespace(namespace: Namespace) -> Response:
    namespaces.drop_namespace(catalog(), caller(), warehouse(), namespace, force=boolean_parameter("force"))
    return no_content()


@resource.operation(
    "POST",
    "/namespaces/{namespace}/properties",
    "Set and remove properties of a namespace",
    takes=[IDEMPOTENCY_KEY],
    body=UpdateNamespacePropertiesRequestSchema,
    answers={200: "UpdateNamespacePropertiesResponse"},
    fails=[NoSuchNamespaceException, UnprocessableEntityException],
    needs=needs(Privilege.MANAGE_PROPERTIES, on="namespace"),
)
def update_properties(namespace: Namespace) -> Response:
    body = read_body(UpdateNamespacePropertiesRequestSchema)
    changes = namespaces.update_properties(
        catalog(), caller(), warehouse(), namespace, body["removals"], body["updates"]
    )
    return json_answer(changes._asdict())


def _list_children(parent: Namespace | None) -> Response:
    page = requested_page("namespaces", warehouse().id, *(parent or ()))
    found = namespaces.list_namespaces(catalog(), warehouse(), parent, page.after, page.limit, viewer())
    items, token = page.cut(found, lambda levels: levels[-1])
    return json_answer({"namespaces": items, "next-page-token": token})


def demand_creation_below(parent: Namespace) -> None:
    """Check that the caller may create a namespace there; without levels that is the top of the warehouse."""
    if parent:
        demand(wanted(CREATING, parent))
    else:
        demand_at_large(Privilege.CREATE)


def _answer(loaded: LoadedNamespace) -> Response:
    return json_answer(loaded.shown())
