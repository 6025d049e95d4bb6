"""Requests to the storage, signed for clients that hold no keys of it."""

from typing import Any

from app.api.answers import Response, json_answer
from app.api.authorization import access, demand, wanted
from app.api.bodies import read_body
from app.api.context import catalog, warehouse
from app.api.declarations import Answer
from app.api.needs import asks, needs
from app.api.operations import Operations
from app.api.schemas.credentials import RemoteSignRequestSchema
from app.auth.privileges import Privilege
from app.catalog import signing
from app.catalog.signing import Signed
from app.errors import ForbiddenException, NoSuchTableException
from app.identifiers import TableIdentifier
from app.storage.signing import Asked

resource = Operations("signing")
ANSWERS = {200: Answer("RemoteSignResult", ("Cache-Control",))}


NEEDS = asks("`vend` on the table, and as the request reads or writes `read-data` or `write-data`")


@resource.operation(
    "POST",
    "/namespaces/{namespace}/tables/{table}/sign",
    "Sign a request to the storage of a table",
    body=RemoteSignRequestSchema,
    answers=ANSWERS,
    fails=(NoSuchTableException, ForbiddenException),
    needs=NEEDS,
)
def sign_request(table: TableIdentifier) -> Response:
    body = read_body(RemoteSignRequestSchema)
    asked = _asked(body)
    try:
        _authorize(table, asked)
        signed = signing.sign(catalog(), warehouse(), table, body["provider"], asked)
    except NoSuchTableException:
        if not _may_stage(table, asked):
            raise
        signed = signing.sign_staged(catalog(), warehouse(), table, body["provider"], asked)
    return _answer(signed)


@resource.operation(
    "POST",
    "/aws/s3/sign",
    "Sign a request to the storage of the table that its object belongs to",
    announced=False,
    body=RemoteSignRequestSchema,
    answers=ANSWERS,
    fails=(ForbiddenException,),
    needs=NEEDS,
)
def sign_request_by_object() -> Response:
    body = read_body(RemoteSignRequestSchema)
    asked = _asked(body)
    signed = signing.sign_by_object(
        catalog(), warehouse(), body["provider"], asked, lambda table: _authorize(table, asked)
    )
    return _answer(signed)


def _asked(body: dict[str, Any]) -> Asked:
    return Asked(body["method"], body["uri"], body["region"], body["headers"], body["body"])


def _authorize(table: TableIdentifier, asked: Asked) -> None:
    demand(*(wanted(needs(one, on="table", is_signing=True), table) for one in _privileges(asked)))


def _privileges(asked: Asked) -> list[Privilege]:
    reads = asked.method in {"GET", "HEAD"}
    copies = any(name.lower() == "x-amz-copy-source" for name in asked.headers)
    needed = {Privilege.READ_DATA: reads or copies, Privilege.WRITE_DATA: not reads}
    return [Privilege.VEND, *(privilege for privilege, is_needed in needed.items() if is_needed)]


def _may_stage(table: TableIdentifier, asked: Asked) -> bool:
    """Whether the caller could be creating the table: then it will own it.

    A credential that may only sign is good enough, as it takes no other one to stage the creation.
    """
    current = access()
    if current is None:
        return True
    need = needs(Privilege.CREATE, on="namespace", is_signing=True)
    (found,) = current.judge(warehouse().id, [wanted(need, table.namespace)])
    return Privilege.CREATE in found.privileges and current.within(need).issuperset(_privileges(asked))


def _answer(signed: Signed) -> Response:
    # Clients of Java use an answer again for thirty seconds when this says exactly "private".
    reuse = "private" if signed.reads else "no-cache"
    return json_answer({"uri": signed.uri, "headers": signed.headers}, headers={"Cache-Control": reuse})
