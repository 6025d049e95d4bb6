"""Namespaces: renamed, and dropped with all that is in them."""

from app.api.answers import Response, json_answer, no_content
from app.api.authorization import demand, demand_at_large, wanted
from app.api.bodies import read_body
from app.api.context import caller, catalog, warehouse
from app.api.declarations import FORCE, IDEMPOTENCY_KEY, Parameter
from app.api.management.operations import ManagementOperations
from app.api.names import namespace_of
from app.api.needs import CREATING, asks, needs
from app.api.parameters import boolean_parameter
from app.api.schemas.management_namespaces import DropNamespaceResponseSchema, RenameNamespaceRequestSchema
from app.auth.privileges import Privilege
from app.catalog import namespace_drops, namespace_renames, namespaces
from app.errors import (
    AlreadyExistsException,
    BadRequestException,
    ConflictException,
    IllegalArgumentException,
    NamespaceNotEmptyException,
    NoSuchNamespaceException,
)
from app.identifiers import Namespace

resource = ManagementOperations("namespaces")
RECURSIVE = Parameter(
    "recursive",
    "query",
    "Whether everything in the namespace is dropped as well: by a job, whose id is answered with 202.",
    {"type": "boolean", "default": False},
)
PURGE = Parameter(
    "purge",
    "query",
    "With `recursive`: whether the files of the tables are deleted as well.",
    {"type": "boolean", "default": False},
)


@resource.operation(
    "POST",
    "/warehouses/{warehouse}/namespaces/{namespace}/rename",
    "Rename or move a namespace with all below it; tables and views stay where they are in storage",
    takes=(IDEMPOTENCY_KEY,),
    body=RenameNamespaceRequestSchema,
    fails=(NoSuchNamespaceException, AlreadyExistsException, IllegalArgumentException),
    needs=asks("`drop` on the namespace and `create` on what it comes below"),
)
def rename_namespace(namespace: Namespace) -> Response:
    destination = namespace_of(read_body(RenameNamespaceRequestSchema)["destination"], "destination")
    below = [wanted(CREATING, destination.parent)] if destination.parent else []
    demand(wanted(needs(Privilege.DROP, on="namespace"), namespace), *below)
    if not below:
        demand_at_large(Privilege.CREATE)
    namespace_renames.rename_namespace(catalog(), caller(), warehouse(), namespace, destination)
    return no_content()


@resource.operation(
    "DELETE",
    "/warehouses/{warehouse}/namespaces/{namespace}",
    "Drop a namespace, on request with everything in it",
    takes=(RECURSIVE, PURGE, FORCE, IDEMPOTENCY_KEY),
    answers={202: DropNamespaceResponseSchema, 204: None},
    fails=(NoSuchNamespaceException, NamespaceNotEmptyException, ConflictException),
    needs=needs(Privilege.DROP, on="namespace"),
)
def drop_namespace_with_content(namespace: Namespace) -> Response:
    purge, force = boolean_parameter("purge"), boolean_parameter("force")
    if boolean_parameter("recursive"):
        job_id = namespace_drops.drop_tree(
            catalog(), caller(), warehouse(), namespace, purge=purge, force=force
        )
        return json_answer({"job-id": job_id}, 202)
    if purge:
        raise BadRequestException("Invalid purge: only recursive=true drops tables, whose files it is about")
    namespaces.drop_namespace(catalog(), caller(), warehouse(), namespace, force=force)
    return no_content()
