"""Namespace operations."""

from flask import Response

from app.api.answers import json_answer, no_content
from app.api.bodies import read_body
from app.api.context import caller, catalog, warehouse
from app.api.declarations import FORCE, IDEMPOTENCY_KEY, PAGES, PARENT
from app.api.names import namespace_of
from app.api.operations import Operations
from app.api.pages import requested_page
from app.api.parameters import boolean_parameter, text_parameter
from app.api.schemas.namespaces import CreateNamespaceRequestSchema, UpdateNamespacePropertiesRequestSchema
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
    takes=[PARENT, *PAGES],
    answers={200: "ListNamespacesResponse"},
    fails=[NoSuchNamespaceException],
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
)
def create_namespace() -> Response:
    body = read_body(CreateNamespaceRequestSchema)
    levels = namespace_of(body["namespace"])
    return _answer(namespaces.create_namespace(catalog(), caller(), warehouse(), levels, body["properties"]))


@resource.operation(
    "HEAD", "/namespaces/{namespace}", "Ask whether a namespace exists", fails=[NoSuchNamespaceException]
)
def namespace_exists(namespace: Namespace) -> Response:
    namespaces.namespace_exists(catalog(), warehouse(), namespace)
    return no_content()


@resource.operation(
    "GET",
    "/namespaces/{namespace}",
    "Load the properties of a namespace",
    answers={200: "GetNamespaceResponse"},
    fails=[NoSuchNamespaceException],
)
def load_namespace(namespace: Namespace) -> Response:
    return _answer(namespaces.load_namespace(catalog(), warehouse(), namespace))


@resource.operation(
    "DELETE",
    "/namespaces/{namespace}",
    "Drop an empty namespace",
    takes=[FORCE, IDEMPOTENCY_KEY],
    fails=[NoSuchNamespaceException, NamespaceNotEmptyException, ConflictException],
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
)
def update_properties(namespace: Namespace) -> Response:
    body = read_body(UpdateNamespacePropertiesRequestSchema)
    changes = namespaces.update_properties(
        catalog(), caller(), warehouse(), namespace, body["removals"], body["updates"]
    )
    return json_answer(changes._asdict())


def _list_children(parent: Namespace | None) -> Response:
    page = requested_page("namespaces", warehouse().id, *(parent or ()))
    found = namespaces.list_namespaces(catalog(), warehouse(), parent, page.after, page.limit)
    items, token = page.cut(found, lambda levels: levels[-1])
    return json_answer({"namespaces": items, "next-page-token": token})


def _answer(loaded: LoadedNamespace) -> Response:
    return json_answer({"namespace": loaded.levels, "properties": loaded.properties})
