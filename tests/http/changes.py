"""A story of changes, told over one connection in the way that a client writes and sends its requests."""

import hashlib
import json
import re
from collections.abc import Callable
from typing import Any, NamedTuple

from tests.clients.header_sets import header_set
from tests.contract.bodies import append, assert_uuid, set_ref
from tests.contract.calls import create_view_request, rename_request
from tests.contract.rights import GRANTS, ROLES, request
from tests.contract.test_every_operation import REPORT
from tests.factories import commit_request, create_table_request, set_properties
from tests.http.conversation import Conversation, Heard
from tests.http.reads import BARE, head

CREATE = "POST /v1/{prefix}/namespaces"
ANOTHER = "00000000-0000-4000-8000-000000000000"
# What the service makes up for a request: ids, names of files, times in milliseconds and the tags that stand for them.
MADE = re.compile(
    rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
    rb'|(?<=-ms":)\d{13}\b|(?<="last-updated-ms":)\d{13}\b|(?<=\r\nETag: )"[^"\r\n]*"|\beyJ[\w.-]+'
)


class Writer(NamedTuple):
    """``framing``: a request in one piece, its body in a second one (``apart``), or ``chunked``."""

    client: str
    framing: str

    def say(self, talk: Conversation, method: str, target: str, token: str, *lines: str, body: bytes) -> None:
        framed, lines = self._framed(body, lines)
        begin = self._head(method, target, token, lines)
        if self.framing != "apart" or not body:
            talk.say(begin + framed)
            return
        talk.say(begin)
        talk.wait_until_read()
        talk.say(framed)

    def _head(self, method: str, target: str, token: str, lines: tuple[str, ...]) -> bytes:
        if self.client == BARE or method in {"GET", "HEAD"}:
            return head(self.client, method, target, token, *lines)
        recorded = header_set(self.client, CREATE)._replace(operation=method).head(target, "localhost", token)
        return recorded[:-2] + "".join(f"{line}\r\n" for line in lines).encode() + b"\r\n"

    def _framed(self, body: bytes, lines: tuple[str, ...]) -> tuple[bytes, tuple[str, ...]]:
        if not body:
            return b"", lines
        if self.client == BARE:
            lines = (*lines, "Content-Type: application/json")
        if self.framing == "chunked":
            return b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body), (*lines, "Transfer-Encoding: chunked")
        return body, (*lines, f"Content-Length: {len(body)}")


Say = Callable[..., Any]


class Teller:
    """Says a story in a namespace of its own and keeps the answers."""

    def __init__(self, port: int, token: str, space: str, writer: Writer) -> None:
        self._talk, self._token, self._writer = Conversation(port), token, writer
        self.space = space
        self.answers: list[tuple[str, bytes]] = []

    def say(self, status: int, method: str, target: str, body: Any = None, *lines: str) -> Any:
        """Send one request, check the status and return what came back."""
        data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        self._writer.say(self._talk, method, target, self._token, *lines, body=data)
        answer = self._talk.answer(method)
        assert Heard(answer).statuses == [status], (method, target, answer)
        what = f"{method} {target}".replace(self.space, "SPACE")
        self.answers.append((what, self._masked(answer)))
        content = answer.partition(b"\r\n\r\n")[2]
        return json.loads(content) if content else None

    def _masked(self, answer: bytes) -> bytes:
        return MADE.sub(b"*", Heard(answer).constant).replace(self.space.encode(), b"SPACE")

    def close(self) -> None:
        self._talk.__exit__()


def tell(say: Say, space: str) -> None:
    """All that changes something, done, done twice, and refused."""
    path = f"/v1/namespaces/{space}"
    namespaces(say, space, path)
    tables(say, space, path)
    commits(say, space, path)
    views(say, space, path)
    repeated(say, space, path)
    rights(say, space)
    ends(say, path)


def namespaces(say: Say, space: str, path: str) -> None:
    say(200, "POST", "/v1/namespaces", {"namespace": [space], "properties": {"a": "1", "text": "ä"}})
    say(409, "POST", "/v1/namespaces", {"namespace": [space]})
    say(200, "POST", "/v1/default/namespaces", {"namespace": [space, "inner"]})
    say(404, "POST", "/v1/namespaces", {"namespace": [f"no{space}", "inner"]})
    say(200, "GET", path)
    say(200, "POST", f"{path}/properties", {"updates": {"b": "2"}, "removals": ["a", "none"]})
    say(422, "POST", f"{path}/properties", {"updates": {"b": "2"}, "removals": ["b"]})
    say(200, "GET", path)
    for broken in (b"{", b"[]", b"\xff", b"{}", b" "):
        say(400, "POST", "/v1/namespaces", broken)


def tables(say: Say, space: str, path: str) -> None:
    say(200, "POST", f"{path}/tables", create_table_request("t", properties={"owner": "ada"}))
    say(409, "POST", f"{path}/tables", create_table_request("t"))
    say(200, "POST", f"{path}/tables", {**create_table_request("staged"), "stage-create": True})
    say(204, "HEAD", f"{path}/tables/t")
    say(404, "HEAD", f"{path}/tables/staged")
    location = say(200, "GET", f"{path}/tables/t")["metadata-location"]
    say(200, "POST", f"{path}/tables", create_table_request("u"))
    say(204, "POST", "/v1/tables/rename", rename_request((space, "u"), (space, "w")))
    say(404, "POST", "/v1/tables/rename", rename_request((space, "u"), (space, "w")))
    say(204, "DELETE", f"{path}/tables/w")
    say(404, "DELETE", f"{path}/tables/w")
    say(409, "POST", f"{path}/register", {"name": "t", "metadata-location": location})
    say(204, "POST", f"{path}/tables/t/metrics", REPORT)
    say(200, "GET", f"{path}/tables")


def commits(say: Say, space: str, path: str) -> None:
    table = f"{path}/tables/t"
    uuid = say(200, "GET", table)["metadata"]["table-uuid"]
    say(200, "POST", table, commit_request(set_properties(a="1"), requirements=[assert_uuid(uuid)]))
    say(409, "POST", table, commit_request(set_properties(a="2"), requirements=[assert_uuid(ANOTHER)]))
    say(200, "POST", table, commit_request(*append(1, 1), set_ref(1, "b")))
    say(400, "POST", table, commit_request({"action": "none"}))
    say(400, "POST", table, commit_request(*append(1, 1)))
    say(404, "POST", f"{path}/tables/none", commit_request(set_properties(a="1")))
    say(200, "POST", table, commit_request(set_properties(one="x" * 60_000, two="y" * 60_000)))
    say(200, "POST", table, commit_request({"action": "remove-properties", "removals": ["one", "two"]}))
    change = {"identifier": {"namespace": [space], "name": "t"}, **commit_request(set_properties(b="1"))}
    say(204, "POST", "/v1/transactions/commit", {"table-changes": [change]})
    say(200, "GET", table)


def views(say: Say, space: str, path: str) -> None:
    request = create_view_request("v")
    say(200, "POST", f"{path}/views", request)
    say(409, "POST", f"{path}/views", request)
    say(200, "POST", f"{path}/views/v", commit_request(set_properties(a="1")))
    say(204, "POST", "/v1/views/rename", rename_request((space, "v"), (space, "v2")))
    say(200, "GET", f"{path}/views/v2")
    say(204, "DELETE", f"{path}/views/v2")


def repeated(say: Say, space: str, path: str) -> None:
    """A request that names itself has one effect, the same answer, and no other body."""
    key = f"Idempotency-Key: 017f22e2-79b0-7cc3-98c4-{hashlib.sha256(space.encode()).hexdigest()[:12]}"
    for _ in range(2):
        say(200, "POST", f"{path}/tables", create_table_request("once"), key)
    say(422, "POST", f"{path}/tables", create_table_request("other"), key)
    say(400, "POST", f"{path}/tables", create_table_request("once"), "Idempotency-Key: x")


def rights(say: Say, space: str) -> None:
    role = {"name": space}
    say(201, "POST", ROLES, role)
    say(409, "POST", ROLES, role)
    given = request(("read-data",), {"warehouse": "default", "namespace": [space]}, f"role:{space}")
    for _ in range(2):
        say(200, "POST", GRANTS, given)
    say(200, "POST", f"{GRANTS}/revoke", given)
    say(204, "DELETE", f"{ROLES}/{space}")


def ends(say: Say, path: str) -> None:
    say(409, "DELETE", path)
    say(204, "DELETE", f"{path}%1Finner")
    for name in ("t", "once"):
        say(204, "DELETE", f"{path}/tables/{name}")
    say(204, "DELETE", path)
    say(404, "DELETE", path)
    say(405, "PUT", path)
    say(400, "POST", "/v1/nowhere", {})
