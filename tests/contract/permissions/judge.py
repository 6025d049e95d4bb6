"""Whether an answer is what a cell says."""

import re

import requests

from tests.contract.calls import assert_error
from tests.contract.permissions.table import Cell

MISSING = {
    "-": "",
    "namespace": "NoSuchNamespaceException",
    "table": "NoSuchTableException",
    "view": "NoSuchViewException",
    "function": "NoSuchFunctionException",
    "key": "NotFoundException",
}


def fault(cell: Cell, answer: requests.Response) -> str:
    """Return what is wrong, or nothing."""
    try:
        judge(cell, answer)
    except AssertionError as error:
        return (
            f"{cell} should be {cell.expected}: {answer.status_code} {answer.text[:300]} ({str(error)[:200]})"
        )
    return ""


def judge(cell: Cell, answer: requests.Response) -> None:
    if cell.expected == "+":
        assert answer.status_code == cell.status
    elif cell.expected == "x":
        message = _refused(answer, 403, "ForbiddenException")
        name = re.escape(answer.headers["X-Request-ID"])
        assert answer.request.method == "HEAD" or re.search(rf"\(error id {name}\)$", message), message
        assert answer.request.method == "HEAD" or cell.principal in message, message
    elif cell.expected == "!":
        _refused(answer, 401, "NotAuthorizedException")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer"), answer.headers
    else:
        missing = {".": MISSING[cell.missing], "n": MISSING["namespace"], "w": "NoSuchWarehouseException"}
        _refused(answer, 404, missing[cell.expected])


def _refused(answer: requests.Response, status: int, kind: str) -> str:
    if answer.request.method == "HEAD":
        assert (answer.status_code, answer.content) == (status, b"")
        return ""
    return assert_error(answer, status, kind)
