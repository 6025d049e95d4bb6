"""Function operations."""

from app.api.answers import Response, json_answer, raw_answer
from app.api.authorization import viewer
from app.api.context import catalog, warehouse
from app.api.declarations import PAGES
from app.api.needs import asks, needs
from app.api.operations import Operations
from app.api.pages import requested_page
from app.auth.privileges import Privilege
from app.catalog import functions
from app.errors import NoSuchFunctionException, NoSuchNamespaceException
from app.identifiers import Namespace, TableIdentifier

resource = Operations("functions")


@resource.operation(
    "GET",
    "/namespaces/{namespace}/functions",
    "List the functions of a namespace",
    takes=PAGES,
    answers={200: "ListFunctionsResponse"},
    fails=(NoSuchNamespaceException,),
    needs=asks("any privilege on the namespace or on something in it; what may not be seen is left out"),
)
def list_functions(namespace: Namespace) -> Response:
    page = requested_page("functions", warehouse().id, *namespace)
    found = functions.list_functions(catalog(), warehouse(), namespace, page.after, page.limit, viewer())
    names, token = page.cut(found, str)
    return json_answer({"identifiers": [[*namespace, name] for name in names], "next-page-token": token})


@resource.operation(
    "GET",
    "/namespaces/{namespace}/functions/{function}",
    "Load a function",
    answers={200: "LoadFunctionResult"},
    fails=(NoSuchNamespaceException, NoSuchFunctionException),
    needs=needs(Privilege.READ_METADATA, on="function"),
)
def load_function(function: TableIdentifier) -> Response:
    return function_answer(functions.load_function(catalog(), warehouse(), function))


def function_answer(document: str) -> Response:
    """The answer around a stored metadata document, which has no file of its own."""
    return raw_answer(b'{"metadata":' + document.encode() + b"}")
