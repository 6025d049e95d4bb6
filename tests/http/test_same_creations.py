"""New namespaces: the lean loop answers as Flask does, however the request arrives, and leaves the same behind."""

import json

import pytest

from tests.clients.header_sets import CLIENTS, header_set
from tests.contract.calls import ok
from tests.contract.rights import WAREHOUSE, grant
from tests.factories import unique_name
from tests.http.conversation import Conversation, Heard, conversations, wait_until_read
from tests.http.world import Ways
from tests.support.identities import Identities
from tests.support.process import eventually

CREATE = "POST /v1/{prefix}/namespaces"
HOT = "bingsan_hot_answers_total"
AT_ONCE = 100
# What differs between two entries of the audit.
DIFFERENT = ("event-id", "at-ms", "object-id", "request-id")


def creation(
    ways: Ways,
    client: str,
    name: str | bytes,
    token: str = "",
    *,
    target: str = "/v1/namespaces",
    ids: str = "",
) -> bytes:
    """Return what a client sends to create a namespace.

    :param name: bytes are taken for the whole body
    :param ids: a further line of the head
    """
    body = (
        name
        if isinstance(name, bytes)
        else json.dumps({"namespace": [name], "properties": {"a": "ä"}}).encode()
    )
    head = header_set(client, CREATE).head(target, "localhost", token or ways.token)
    return head[:-2] + f"{ids}Content-Length: {len(body)}\r\n\r\n".encode() + body


def asked(port: int, *requests: bytes) -> list[bytes]:
    with Conversation(port) as conversation:
        answers = []
        for request in requests:
            conversation.say(request)
            answers.append(Heard(conversation.answer("POST")).constant)
        return answers


def names(count: int) -> list[str]:
    """As many names of one length."""
    begin = unique_name("new")
    return [f"{begin}_{number:05}" for number in range(count)]


def hot_answers(ways: Ways) -> float:
    return ways.hot.metric(HOT)


@pytest.mark.parametrize("prefix", ["", "/default"])
@pytest.mark.parametrize("client", CLIENTS)
def test_created(ways: Ways, client: str, prefix: str) -> None:
    own, target = names(12), f"/v1{prefix}/namespaces"
    before = hot_answers(ways)
    hot = asked(ways.hot.port, *(creation(ways, client, name, target=target) for name in own[:10]))
    stock = asked(ways.stock.port, *(creation(ways, client, name, target=target) for name in own[10:]))
    masked = {answer.replace(name.encode(), b"-") for name, answer in zip(own, hot + stock, strict=True)}
    assert len(masked) == 1
    assert masked.pop().startswith(b"HTTP/1.1 200 OK\r\n")
    eventually(lambda: hot_answers(ways) - before >= 9, 10, "only the first one was Flask's")


@pytest.mark.parametrize("client", CLIENTS)
def test_the_same_is_kept(ways: Ways, client: str) -> None:
    """The namespace, and the entry of the audit that tells of it."""
    admin, own = Identities(ways.stock).admin, names(3)
    requests = [creation(ways, client, name, ids=f"X-Request-ID: of-{name}\r\n") for name in own]
    asked(ways.hot.port, *requests[:2])
    asked(ways.stock.port, requests[2])
    spaces = {admin.get(f"/v1/namespaces/{name}").text.replace(name, "-") for name in own}
    assert len(spaces) == 1
    entries = [
        ok(admin.get("/management/v1/audit", params={"request-id": f"of-{name}"}))["events"] for name in own
    ]
    assert [len(each) for each in entries] == [1, 1, 1]
    for (entry,), name in zip(entries, own, strict=True):
        assert entry["request-id"] == f"of-{name}"
        for member in DIFFERENT:
            del entry[member]
    texts = [json.dumps(each).replace(name, "-") for each, name in zip(entries, own, strict=True)]
    assert texts == [texts[0]] * 3


BROKEN = (
    *(
        b"{",
        b"[]",
        b"{}",
        b'{"namespace": []}',
        b'{"namespace": "a"}',
        b'{"namespace": [1]}',
        b"\xff",
        b" " * 9,
    ),
    *(b'{"namespace": [""]}', b'{"namespace": ["a\\u0000"]}', b'{"namespace": ["a"], "properties": []}'),
    *(b'{"namespace": ["a"], "properties": {"a": 1}}', b'{"namespace": ["a"], "properties": {"": "x"}}'),
    *(b'{"namespace": ["none", "a"]}', b'{"namespace": ["a"], "properties": {"location": "s3://x/y"}}'),
    *(b'{"namespace": ["%s"]}' % (b"n" * 2000), b'{"namespace": ["\\ud800"]}', b"[" * 5000),
    *(
        b'{"namespace": ["a"], "properties": "b"}',
        b'{"namespace": ["a\\n"]}',
        b'{"namespace": null}',
    ),
)


@pytest.mark.parametrize("body", BROKEN, ids=lambda body: body[:40].decode("latin-1"))
def test_refused(ways: Ways, body: bytes) -> None:
    asked(ways.hot.port, creation(ways, "java", names(1)[0]))  # so that the loop knows such answers
    (hot,) = asked(ways.hot.port, creation(ways, "java", body))
    (stock,) = asked(ways.stock.port, creation(ways, "java", body))
    assert hot == stock
    assert hot[9:10] == b"4"


def test_others_may_not(ways: Ways) -> None:
    """Nobody, somebody without a right, and somebody with one, in the order in which they get it."""
    identities, own = Identities(ways.stock), names(3)
    person = identities.person()
    token = identities.token(person)
    for shown, status in (("nonsense", 401), (token, 404)):
        answers = [asked(port, creation(ways, "java", own[0], shown))[0] for port in ways.ports]
        assert answers[0] == answers[1]
        assert answers[0].startswith(b"HTTP/1.1 %d " % status)
    grant(identities.admin, WAREHOUSE, person.name, "create")
    for port, name in zip(ways.ports, own, strict=False):
        assert asked(port, creation(ways, "java", name, token))[0].startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("client", CLIENTS)
def test_split_at_every_byte(ways: Ways, client: str) -> None:
    size = len(creation(ways, client, names(1)[0]))
    seen = set()
    for begin in range(1, size, AT_ONCE):
        places = range(begin, min(begin + AT_ONCE, size))
        own = names(len(places))
        requests = [creation(ways, client, name) for name in own]
        with conversations(ways.hot.port, len(places)) as talking:
            for at, request, conversation in zip(places, requests, talking, strict=True):
                conversation.say(request[:at])
            wait_until_read(talking)
            for at, request, conversation in zip(places, requests, talking, strict=True):
                conversation.say(request[at:])
            for name, conversation in zip(own, talking, strict=True):
                seen.add(Heard(conversation.answer("POST")).constant.replace(name.encode(), b"-"))
    assert len(seen) == 1
    assert seen.pop().startswith(b"HTTP/1.1 200 OK\r\n")


def test_many_in_one_pipeline(ways: Ways) -> None:
    """One after the other and in order, with reads between them."""
    own = names(50)
    with Conversation(ways.hot.port) as conversation:
        conversation.say(b"".join(creation(ways, "pyiceberg", name) + ways.get() for name in own) + ways.last)
        heard = Heard(conversation.rest())
    assert heard.statuses == [200] * (2 * len(own) + 1)
    places = [heard.received.index(f'{{"namespace":["{name}"]'.encode()) for name in own]
    assert places == sorted(places)


def test_a_body_that_never_arrives(ways: Ways) -> None:
    """The client leaves: nothing is created, and nothing waits for it."""
    name = names(1)[0]
    with Conversation(ways.hot.port) as conversation:
        conversation.say(creation(ways, "java", name)[:-1])
        conversation.wait_until_read()
        conversation.end()
        assert conversation.rest() == b""
    admin = Identities(ways.stock).admin
    assert admin.get(f"/v1/namespaces/{name}").status_code == 404
