"""Multi-table transactions."""

from app.api.answers import Response, no_content
from app.api.authorization import demand
from app.api.bodies import read_body
from app.api.commit_needs import wanted_for_commits
from app.api.context import caller, catalog, warehouse
from app.api.declarations import IDEMPOTENCY_KEY
from app.api.names import identifier_of
from app.api.needs import asks
from app.api.operations import Operations
from app.api.schemas.transactions import CommitTransactionRequestSchema
from app.catalog import transactions
from app.catalog.table_requests import TableCommit
from app.errors import (
    AlreadyExistsException,
    CommitFailedException,
    NoSuchNamespaceException,
    NoSuchTableException,
)

resource = Operations("transactions")


@resource.operation(
    "POST",
    "/transactions/commit",
    "Commit updates to several tables at once, all or none",
    takes=[IDEMPOTENCY_KEY],
    body=CommitTransactionRequestSchema,
    fails=[
        NoSuchTableException,
        NoSuchNamespaceException,
        AlreadyExistsException,
        CommitFailedException,
    ],
    needs=asks("for each table what a commit to it needs"),
)
def commit_transaction() -> Response:
    body = read_body(CommitTransactionRequestSchema)
    changes = [
        TableCommit(
            identifier_of(change["identifier"], f"table-changes[{position}].identifier"),
            change["requirements"],
            change["updates"],
        )
        for position, change in enumerate(body["table_changes"])
    ]
    demand(*wanted_for_commits(changes))
    transactions.commit_transaction(catalog(), caller(), warehouse(), changes)
    return no_content()
