"""Access to a table's files: credentials to take along."""

from app.api.answers import Response, json_answer
from app.api.authorization import demand, wanted
from app.api.context import catalog, visitor, warehouse
from app.api.data_access import data_access
from app.api.declarations import PLAN_ID, REFERENCED_BY
from app.api.needs import needs
from app.api.operations import Operations
from app.api.parameters import text_parameter
from app.api.references import referenced_by
from app.auth.privileges import Privilege
from app.catalog import credentials
from app.errors import NoSuchTableException
from app.identifiers import TableIdentifier

resource = Operations("credentials")


@resource.operation(
    "GET",
    "/namespaces/{namespace}/tables/{table}/credentials",
    "Load credentials for the files of a table",
    takes=(PLAN_ID, REFERENCED_BY),
    answers={200: "LoadCredentialsResponse"},
    fails=(NoSuchTableException,),
    needs=needs(Privilege.VEND, on="table"),
)
def load_credentials(table: TableIdentifier) -> Response:
    referenced_by()
    text_parameter("planId")
    # Java's refresher does not say what it came for.
    asker = visitor("vended-credentials")
    demand(wanted(needs(Privilege.READ_DATA, Privilege.WRITE_DATA, on="table"), table))
    found = credentials.load_credentials(catalog(), asker, warehouse(), table, data_access(table))
    return json_answer({"storage-credentials": [credential._asdict() for credential in found]})
