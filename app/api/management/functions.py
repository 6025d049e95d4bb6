"""Functions: created and dropped. The Iceberg API lists and loads them."""

import msgspec
from flask import request

from app.api.answers import Response, no_content
from app.api.bodies import read_body
from app.api.context import caller, catalog, warehouse
from app.api.declarations import IDEMPOTENCY_KEY
from app.api.functions import function_answer
from app.api.management.operations import ManagementOperations
from app.api.names import name_of
from app.api.needs import needs
from app.api.schemas.management_functions import CreateFunctionRequestSchema
from app.auth.privileges import Privilege
from app.catalog import functions
from app.errors import AlreadyExistsException, NoSuchFunctionException, NoSuchNamespaceException
from app.identifiers import Namespace, TableIdentifier
from app.metadata.function import read_function_metadata

resource = ManagementOperations("functions")
_FUNCTIONS = "/warehouses/{warehouse}/namespaces/{namespace}/functions"


class _Sent(msgspec.Struct):
    """A request's metadata as text."""

    metadata: msgspec.Raw


@resource.operation(
    "POST",
    _FUNCTIONS,
    "Create a function",
    takes=(IDEMPOTENCY_KEY,),
    body=CreateFunctionRequestSchema,
    answers={200: "LoadFunctionResult"},
    fails=(NoSuchNamespaceException, AlreadyExistsException),
    needs=needs(Privilege.CREATE, on="namespace"),
)
def create_function(namespace: Namespace) -> Response:
    body = read_body(CreateFunctionRequestSchema)
    function = TableIdentifier(namespace, name_of(body["name"]))
    metadata = read_function_metadata(body["metadata"])
    document = bytes(msgspec.json.decode(request.get_data(), type=_Sent).metadata).decode()
    return function_answer(
        functions.create_function(catalog(), caller(), warehouse(), function, metadata, document)
    )


@resource.operation(
    "DELETE",
    f"{_FUNCTIONS}/{{function}}",
    "Drop a function",
    takes=(IDEMPOTENCY_KEY,),
    fails=(NoSuchNamespaceException, NoSuchFunctionException),
    needs=needs(Privilege.DROP, on="function"),
)
def drop_function(function: TableIdentifier) -> Response:
    functions.drop_function(catalog(), caller(), warehouse(), function)
    return no_content()
