"""Nothing but a genuine credential, shown in an agreed way, opens the door; what else was tried is repeated nowhere."""

import base64
import hashlib
import json
import re
import secrets
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from tests.conftest import SHARED, MakeServer
from tests.contract.calls import RawAnswer, assert_error, ok, raw_request
from tests.contract.guarded import (
    CLIENT_ID,
    LOCATION,
    Guard,
    Guarded,
    encoded,
    parts_of,
    signed,
)
from tests.contract.test_every_operation import BODIES
from tests.support.own_document import own_document
from tests.support.server import Client

Forge = Callable[[Guarded], str]


@pytest.fixture(scope="module")
def guarded(make_server: MakeServer) -> Iterator[Guarded]:
    guard = Guard()
    with make_server(settings=guard.settings()) as server:
        SHARED.append(server)
        yield Guarded(server, guard)
        SHARED.remove(server)


def refused(answer: requests.Response | RawAnswer) -> str:
    message = assert_error(answer, 401, "NotAuthorizedException")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer"), answer.headers
    return message


def rewritten(
    header: dict[str, Any] | None = None, claims: dict[str, Any] | None = None, *, sign: bool = True
) -> Forge:
    """A genuine token with other members; None takes one away. Unsigned it keeps the old signature."""

    def forge(guarded: Guarded) -> str:
        old_header, old_claims, signature = parts_of(guarded.genuine)
        new_header = {
            name: value for name, value in {**old_header, **(header or {})}.items() if value is not None
        }
        new_claims = {
            name: value for name, value in {**old_claims, **(claims or {})}.items() if value is not None
        }
        if sign:
            return signed(new_header, new_claims, guarded.guard.key)
        return f"{encoded(new_header)}.{encoded(new_claims)}.{signature}"

    return forge


def algorithm(name: Any, key: bytes | None = None, digest: str = "sha256", **header: Any) -> Forge:
    """A token that says it is of another algorithm; ``key`` None stands for the server's own."""

    def forge(guarded: Guarded) -> str:
        old_header, claims, _ = parts_of(guarded.genuine)
        changed = {**old_header, "alg": name, **header}
        return signed(changed, claims, guarded.guard.key if key is None else key, digest)

    return forge


def unsigned(name: Any, ending: str) -> Forge:
    def forge(guarded: Guarded) -> str:
        header, claims, signature = parts_of(guarded.genuine)
        text = f"{encoded({**header, 'alg': name})}.{encoded(claims)}"
        return text + ending.format(signature)

    return forge


def spoilt(segment: int, place: float, change: Callable[[str], str]) -> Forge:
    """Change one character of a segment."""

    def forge(guarded: Guarded) -> str:
        segments = guarded.genuine.split(".")
        at = min(int(len(segments[segment]) * place), len(segments[segment]) - 1)
        text = segments[segment]
        segments[segment] = text[:at] + change(text[at]) + text[at + 1 :]
        return ".".join(segments)

    return forge


def self_made(**header: Any) -> Forge:
    """A token signed with a key of the attacker's, which its header brings along or points to."""

    def forge(guarded: Guarded) -> str:
        key = b"a key of the attacker's, 32 bytes"
        old_header, claims, _ = parts_of(guarded.genuine)
        brought = {"kty": "oct", "kid": "mine", "k": encoded(key)}
        return signed({**old_header, **header, "jwk": brought}, claims, key)

    return forge


def other_letter(letter: str) -> str:
    return {"A": "z", "z": "A"}.get(letter, "A" if letter not in "ABCD" else "z")


NOW = int(time.time())
TAMPERED: dict[str, Forge] = {
    f"{kind} in segment {segment} at {place}": spoilt(segment, place, change)
    for segment in range(3)
    for place in (0.0, 0.5, 1.0)
    for kind, change in {
        "another letter": other_letter,
        "a letter less": lambda letter: "",
        "a letter more": lambda letter: f"{letter}Q",
        "padding": lambda letter: f"{letter}=",
        "an asterisk": lambda letter: "*",
        "a space": lambda letter: f"{letter} {letter}",
        "a dot": lambda letter: f"{letter}.",
        "a letter of no alphabet": lambda letter: "é",
    }.items()
}
CHANGED: dict[str, Forge] = {
    f"claim {name} changed, old signature": rewritten(claims={name: value}, sign=False)
    for name, value in {
        "sub": "2",
        "scope": "manage",
        "exp": NOW + 10**6,
        "jti": "other",
        "cred": "secret:999",
        "roles": ["admin"],
    }.items()
}
ALGORITHMS: dict[str, Forge] = {
    **{
        f"alg {name!r} ending {ending!r}": unsigned(name, ending)
        for name in ("none", "None", "NONE", "nOnE", "", None, 0, "HS256 ", "hs256")
        for ending in ("", ".", ".{}")
    },
    "HS384 with the right key": algorithm("HS384", digest="sha384"),
    "HS512 with the right key": algorithm("HS512", digest="sha512"),
    "RS256 with an HMAC": algorithm("RS256"),
    "PS256 with an HMAC": algorithm("PS256"),
    "ES256 with an HMAC": algorithm("ES256"),
    "EdDSA with an HMAC": algorithm("EdDSA"),
    "no algorithm": rewritten({"alg": None}),
    "the empty key": algorithm("HS256", b""),
    "a key of zeros": algorithm("HS256", bytes(32)),
    "a key that everybody tries": algorithm("HS256", b"secret"),
    "the empty key, named by a path": algorithm("HS256", b"", kid="/dev/null"),
    "the empty key, named by a path upwards": algorithm("HS256", b"", kid="../../../../../dev/null"),
    "a public key as if it were a secret": algorithm("HS256", b"-----BEGIN PUBLIC KEY-----\nMFkw\n"),
}
KEY_IDS: dict[str, Forge] = {
    f"kid {kid!r}": rewritten({"kid": kid})
    for kid in (
        None,
        "",
        "unknown",
        "../../../../etc/passwd",
        "' OR '1'='1",
        "x' UNION SELECT 'key' --",
        "x'; DROP TABLE principals; --",
        "%00",
        "\0",
        0,
        True,
        ["a"],
        {"a": "b"},
        "k" * 5_000,
    )
}
SELF_MADE: dict[str, Forge] = {
    "a key in the header": self_made(),
    "a key in the header and its kid": self_made(kid="mine"),
    "an address of keys": self_made(jku="https://127.0.0.1:1/keys"),
    "an address of certificates": self_made(x5u="https://127.0.0.1:1/keys", x5c=["MIIB"]),
    "an extension that must be understood": rewritten({"crit": ["exp"], "b64": False}),
}
CLAIMS: dict[str, Forge] = {
    "expired a minute ago": rewritten(claims={"exp": NOW - 60}),
    "expired in 1970": rewritten(claims={"exp": 0}),
    "never expires": rewritten(claims={"exp": None}),
    "expires as text": rewritten(claims={"exp": str(NOW + 600)}),
    "expires as truth": rewritten(claims={"exp": True}),
    "expires as infinity": rewritten(claims={"exp": float("inf")}),
    "expires as no number": rewritten(claims={"exp": float("nan")}),
    "not before tomorrow": rewritten(claims={"nbf": NOW + 86_400}),
    "for another audience": rewritten(claims={"aud": "another"}),
    "for several audiences": rewritten(claims={"aud": ["another", "bingsan"]}),
    "for an audience that begins like ours": rewritten(claims={"aud": "bingsan.example"}),
    "for nobody": rewritten(claims={"aud": None}),
    "of another issuer": rewritten(claims={"iss": "another"}),
    "of an issuer in other letters": rewritten(claims={"iss": "BINGSAN"}),
    "of no issuer": rewritten(claims={"iss": None}),
    "of nobody": rewritten(claims={"sub": None}),
    "of a principal that never was": rewritten(claims={"sub": "987654321"}),
    "of a principal by name": rewritten(claims={"sub": CLIENT_ID}),
    "of a principal in SQL": rewritten(claims={"sub": "1 OR 1=1"}),
    "of a principal beyond numbers": rewritten(claims={"sub": str(2**70)}),
    "without id": rewritten(claims={"jti": None}),
    "without scope": rewritten(claims={"scope": None}),
    "with a list of scopes": rewritten(claims={"scope": ["manage"]}),
}
SHAPES: dict[str, Forge] = {
    "empty segments": lambda guarded: "..",
    "one segment": lambda guarded: guarded.genuine.split(".")[0],
    "two segments": lambda guarded: guarded.genuine.rpartition(".")[0],
    "four segments": lambda guarded: f"{guarded.genuine}.x",
    "five segments": lambda guarded: f"{guarded.genuine}.x.y",
    "reversed": lambda guarded: guarded.genuine[::-1],
    "lower case": lambda guarded: guarded.genuine.lower(),
    "twice": lambda guarded: guarded.genuine * 2,
    "in quotes": lambda guarded: f'"{guarded.genuine}"',
    "in percent": lambda guarded: guarded.genuine.replace(".", "%2E"),
    "with a comma": lambda guarded: f"{guarded.genuine},{guarded.genuine}",
    "null": lambda guarded: "null",
    "an array": lambda guarded: f"{encoded(b'[]')}.{encoded(b'[]')}.x",
    "a deep array": lambda guarded: f"{encoded(b'[' * 3000)}.{encoded(b'[' * 3000)}.x",
    "the client's secret": lambda guarded: guarded.guard.client_secret,
    "the signing key": lambda guarded: base64.b64encode(guarded.guard.key).decode(),
}
FORGERIES = {**TAMPERED, **CHANGED, **ALGORITHMS, **KEY_IDS, **SELF_MADE, **CLAIMS, **SHAPES}


def test_genuine(guarded: Guarded) -> None:
    for scheme in ("Bearer", "bearer", "BEARER"):
        ok(guarded.get(Authorization=f"{scheme} {guarded.genuine}"))


def test_signing_anew_is_genuine(guarded: Guarded) -> None:
    """The forgeries below differ from this one by nothing but what they are about."""
    ok(guarded.bear(rewritten()(guarded)))
    ok(guarded.bear(algorithm("HS256")(guarded)))


@pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES)
def test_forged_token(guarded: Guarded, forge: Forge) -> None:
    token = forge(guarded)
    assert token != guarded.genuine
    answer = raw_request(
        guarded.server,
        "GET",
        LOCATION,
        headers={"Authorization": f"Bearer {token}".encode().decode("latin-1")},
    )
    refused(answer)
    for piece in pieces(token):
        assert piece not in answer.text
        assert piece not in str(answer.headers)


def test_nothing_of_a_token_is_logged(guarded: Guarded) -> None:
    """After all that was tried above: neither a part of a token nor a secret is in the log."""
    guarded.bear(rewritten({"kid": "unknown"})(guarded))
    text = (guarded.server.stdout.read_text() + guarded.server.stderr.read_text()).replace("\\", "")
    assert "invalid_token" in text or "NotAuthorized" in text
    own = [
        *guarded.genuine.split("."),
        guarded.guard.client_secret,
        base64.b64encode(guarded.guard.key).decode(),
    ]
    forged = [piece for forge in FORGERIES.values() for piece in pieces(forge(guarded))]
    assert [piece for piece in {*own, *forged} if piece in text] == []


def pieces(token: str) -> list[str]:
    """The parts of a token that are long enough to be told from other text."""
    return [piece for piece in re.split(r"[^A-Za-z0-9_=-]", token) if len(piece) > 20 and set(piece) != {"k"}]


REPLAYED = {
    "the token was revoked": (
        "INSERT INTO revoked_tokens (token_id, revoked_by, expires_at) VALUES (%s, 'test', now() + interval '1 day')",
        "DELETE FROM revoked_tokens WHERE token_id = %s",
        "jti",
    ),
    "the principal was deleted": (
        "UPDATE principals SET deleted_at = now() WHERE id::text = %s",
        "UPDATE principals SET deleted_at = NULL WHERE id::text = %s",
        "sub",
    ),
    "the principal was disabled": (
        "UPDATE principals SET disabled = true WHERE id::text = %s",
        "UPDATE principals SET disabled = false WHERE id::text = %s",
        "sub",
    ),
    "all tokens of the principal were revoked": (
        "UPDATE principals SET tokens_valid_after = now() + interval '1 second' WHERE id::text = %s",
        "UPDATE principals SET tokens_valid_after = NULL WHERE id::text = %s",
        "sub",
    ),
    "the secret was revoked": (
        "UPDATE client_secrets SET revoked_at = now() WHERE 'secret:' || id = %s",
        "UPDATE client_secrets SET revoked_at = NULL WHERE 'secret:' || id = %s",
        "cred",
    ),
    "the secret has expired": (
        "UPDATE client_secrets SET expires_at = now() - interval '1 second' WHERE 'secret:' || id = %s",
        "UPDATE client_secrets SET expires_at = NULL WHERE 'secret:' || id = %s",
        "cred",
    ),
}


@pytest.mark.parametrize(("end", "restore", "claim"), REPLAYED.values(), ids=REPLAYED)
def test_replayed(guarded: Guarded, end: str, restore: str, claim: str) -> None:
    """A token that was good until something ended it is refused, although its signature and times hold."""
    named = parts_of(guarded.genuine)[1][claim]
    ok(guarded.bear(guarded.genuine))
    guarded.change(end, named)
    refused(guarded.bear(guarded.genuine))
    guarded.change(restore, named)
    ok(guarded.bear(guarded.genuine))


@pytest.fixture(scope="module")
def api_key(guarded: Guarded) -> str:
    """A key of the first administrator."""
    key = f"bingsan_{secrets.token_urlsafe(32)}"
    guarded.change(
        """INSERT INTO api_keys (principal_id, name, key_hash, scopes, created_by)
        SELECT id, 'forged', %s, '{catalog}', 'test' FROM principals WHERE name = %s""",
        hashlib.sha256(key.encode()).digest(),
        CLIENT_ID,
    )
    return key


def swapped(key: str) -> str:
    """The key with the case of one letter changed."""
    at = next(at for at, letter in enumerate(key) if letter.isalpha() and at > len("bingsan_"))
    return key[:at] + key[at].swapcase() + key[at + 1 :]


FORGED_KEYS: dict[str, Callable[[str], str]] = {
    "one letter in the other case": swapped,
    "upper case": str.upper,
    "the prefix in upper case": lambda key: key.replace("bingsan_", "BINGSAN_"),
    "without the prefix": lambda key: key.removeprefix("bingsan_"),
    "the prefix twice": lambda key: f"bingsan_{key}",
    "another prefix": lambda key: key.replace("bingsan_", "polaris_"),
    "the prefix alone": lambda key: "bingsan_",
    "a letter less": lambda key: key[:-1],
    "a letter more": lambda key: f"{key}A",
    "the last letter changed": lambda key: key[:-1] + ("A" if key[-1] != "A" else "B"),
    "a space inside": lambda key: f"{key[:20]} {key[20:]}",
    "a tab inside": lambda key: f"{key[:20]}\t{key[20:]}",
    "in quotes": lambda key: f'"{key}"',
    "in percent": lambda key: key.replace("_", "%5F"),
    "with a comma": lambda key: f"{key},{key}",
    "with padding": lambda key: f"{key}=",
    "its hash": lambda key: hashlib.sha256(key.encode()).hexdigest(),
    "its hash as a key": lambda key: f"bingsan_{encoded(hashlib.sha256(key.encode()).digest())}",
    "a wildcard": lambda key: "bingsan_%",
    "in SQL": lambda key: "bingsan_' OR '1'='1",
    "a new one": lambda key: f"bingsan_{secrets.token_urlsafe(32)}",
}


@pytest.mark.parametrize("change", FORGED_KEYS.values(), ids=FORGED_KEYS)
@pytest.mark.parametrize(
    "header", ["X-API-Key: {}", "Authorization: Bearer {}", "Authorization: x-api-key {}"]
)
def test_forged_key(guarded: Guarded, api_key: str, header: str, change: Callable[[str], str]) -> None:
    name, _, value = header.format(change(api_key)).partition(": ")
    answer = raw_request(guarded.server, "GET", LOCATION, headers={name: value})
    refused(answer)
    assert change(api_key) not in answer.text
    name, _, value = header.format(api_key).partition(": ")
    assert raw_request(guarded.server, "GET", LOCATION, headers={name: value}).status_code == 200


def test_key_of_the_previous_rotation(guarded: Guarded, api_key: str) -> None:
    """After a rotation the old key is good until its grace of 24 hours is over."""
    new = f"bingsan_{secrets.token_urlsafe(32)}"
    rotate = """UPDATE api_keys SET previous_key_hash = %s, key_hash = %s, rotated_at = now(),
        previous_valid_until = now() + interval '24 hours' WHERE key_hash = %s"""
    old_hash, new_hash = (hashlib.sha256(key.encode()).digest() for key in (api_key, new))
    guarded.change(rotate, old_hash, new_hash, old_hash)
    ok(guarded.get(X_API_Key=api_key))
    ok(guarded.get(X_API_Key=new))
    guarded.change(
        "UPDATE api_keys SET previous_valid_until = now() - interval '1 second' WHERE key_hash = %s", new_hash
    )
    refused(guarded.get(X_API_Key=api_key))
    ok(guarded.get(X_API_Key=new))
    guarded.change(
        "UPDATE api_keys SET key_hash = %s, previous_key_hash = NULL WHERE key_hash = %s", old_hash, new_hash
    )
    refused(guarded.get(X_API_Key=new))


ENDED_KEYS = {
    "revoked": ("revoked_at = now()", "revoked_at = NULL"),
    "expired": ("expires_at = now() - interval '1 second'", "expires_at = NULL"),
}


@pytest.mark.parametrize(("end", "restore"), ENDED_KEYS.values(), ids=ENDED_KEYS)
def test_ended_key(guarded: Guarded, api_key: str, end: str, restore: str) -> None:
    digest = hashlib.sha256(api_key.encode()).digest()
    ok(guarded.get(X_API_Key=api_key))
    guarded.change(f"UPDATE api_keys SET {end} WHERE key_hash = %s", digest)
    refused(guarded.get(X_API_Key=api_key))
    guarded.change(f"UPDATE api_keys SET {restore} WHERE key_hash = %s", digest)
    ok(guarded.get(X_API_Key=api_key))


def basic(user: str, password: str) -> str:
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"


Show = Callable[[Guarded, str], dict[str, Any]]
SHOWN: dict[str, Show] = {
    "nothing": lambda guarded, key: {},
    "an empty header": lambda guarded, key: {"headers": {"Authorization": ""}},
    "a scheme alone": lambda guarded, key: {"headers": {"Authorization": "Bearer"}},
    "a scheme and a space": lambda guarded, key: {"headers": {"Authorization": "Bearer "}},
    "a token without its scheme": lambda guarded, key: {"headers": {"Authorization": guarded.genuine}},
    "a scheme of nobody's": lambda guarded, key: {"headers": {"Authorization": f"Token {guarded.genuine}"}},
    "the client's secret as Basic": lambda guarded, key: {
        "headers": {"Authorization": basic(CLIENT_ID, guarded.guard.client_secret)}
    },
    "the token as Basic": lambda guarded, key: {
        "headers": {"Authorization": basic("token", guarded.genuine)}
    },
    "a key as Basic": lambda guarded, key: {"headers": {"Authorization": basic(key, "")}},
    "Digest": lambda guarded, key: {"headers": {"Authorization": f'Digest username="{CLIENT_ID}"'}},
    "two tokens in two headers": lambda guarded, key: {
        "headers": {"Authorization": f"Bearer {guarded.genuine}"},
        "head": b"Authorization: Bearer other\r\n",
    },
    "one token in two headers": lambda guarded, key: {
        "headers": {"Authorization": f"Bearer {guarded.genuine}"},
        "head": f"Authorization: Bearer {guarded.genuine}\r\n".encode(),
    },
    "a bad one before a good one": lambda guarded, key: {
        "headers": {"Authorization": "Bearer other"},
        "head": f"Authorization: Bearer {guarded.genuine}\r\n".encode(),
    },
    "two keys in two headers": lambda guarded, key: {
        "headers": {"X-API-Key": key},
        "head": b"X-API-Key: other\r\n",
    },
    "a good token and another key": lambda guarded, key: {
        "headers": {"Authorization": f"Bearer {guarded.genuine}", "X-API-Key": key}
    },
    "a good key and a bad token": lambda guarded, key: {
        "headers": {"Authorization": "Bearer other", "X-API-Key": key}
    },
    "a good key and Basic": lambda guarded, key: {
        "headers": {"Authorization": basic("a", "b"), "X-API-Key": key}
    },
    "a key in a header with underscores": lambda guarded, key: {"headers": {"X_API_Key": key}},
    "a key in a header that is like it": lambda guarded, key: {
        "headers": {"X-Api-Keys": key, "Api-Key": key}
    },
    "a token in a cookie": lambda guarded, key: {
        "headers": {"Cookie": f"Authorization=Bearer {guarded.genuine}; token={guarded.genuine}"}
    },
    "a token for the proxy": lambda guarded, key: {
        "headers": {"Proxy-Authorization": f"Bearer {guarded.genuine}"}
    },
    "what a proxy would say": lambda guarded, key: {
        "headers": {
            "X-Forwarded-User": CLIENT_ID,
            "X-Remote-User": CLIENT_ID,
            "Remote-User": CLIENT_ID,
            "X-Forwarded-For": "127.0.0.1",
        }
    },
    **{
        f"{name} in the query": lambda guarded, key, name=name: {
            "target": f"{LOCATION}?{name}={key if 'key' in name else guarded.genuine}"
        }
        for name in ("access_token", "token", "authorization", "api_key", "X-API-Key", "bearer_token")
    },
    "a byte of no alphabet": lambda guarded, key: {
        "headers": {"Authorization": f"Bearer {guarded.genuine}\xff"}
    },
    "a long token": lambda guarded, key: {"headers": {"Authorization": f"Bearer {'a' * 6_000}"}},
}


@pytest.mark.parametrize("show", SHOWN.values(), ids=SHOWN)
def test_shown_in_no_agreed_way(guarded: Guarded, api_key: str, show: Show) -> None:
    options = show(guarded, api_key)
    answer = raw_request(
        guarded.server,
        "GET",
        options.get("target", LOCATION),
        headers=options.get("headers"),
        head=options.get("head", b""),
    )
    refused(answer)
    for secret in (guarded.genuine, api_key, guarded.guard.client_secret):
        assert secret not in answer.text


@pytest.mark.parametrize(
    "head",
    [
        b"Authorization: Bearer a\0b",
        b"Authorization: Bearer a\rb",
        b"Authorization: Bearer " + b"a" * 200_000,
        b"X-API-Key: \0",
        b"Authorization : Bearer a",
        b"Authorization: Bearer a\r\n Bearer b",
    ],
    ids=["NUL", "CR", "huge", "NUL key", "space before the colon", "folded"],
)
def test_not_even_a_header(guarded: Guarded, head: bytes) -> None:
    """What HTTP does not allow is refused before anybody looks for a token in it."""
    answer = raw_request(guarded.server, "GET", LOCATION, head=head + b"\r\n")
    assert answer.status_code in {400, 431}, answer
    ok(guarded.bear(guarded.genuine))


def test_the_same_credential_shown_twice_is_one(guarded: Guarded, api_key: str) -> None:
    ok(guarded.get(Authorization=f"Bearer {api_key}", X_API_Key=api_key))


# Written by hand: what is open to everybody.
OPEN = {
    "GET /health",
    "GET /health/live",
    "GET /health/ready",
    "GET /ready",
    "GET /metrics",
    "GET /openapi.json",
    "GET /docs",
    "GET /docs/docs.css",
    "GET /docs/docs.js",
    "POST /v1/oauth/tokens",
}
ROUTES = [
    f"{method.upper()} {path}"
    for path, item in own_document()["paths"].items()
    for method in item
    if method in {"get", "head", "post", "put", "patch", "delete"}
]


@pytest.mark.parametrize("route", [route for route in ROUTES if route not in OPEN])
def test_every_route_asks_first(guarded: Guarded, route: str) -> None:
    """Before anything else: before the warehouse, names and the body are looked at."""
    method, _, template = route.partition(" ")
    with Client(guarded.server.url) as client:
        for path in (filled(template, "a"), filled(template, "nowhere"), filled(template, "%FF")):
            for options in ({"json": BODIES.get(route, {})}, {"data": b"{"}):
                body = options if method in {"POST", "PUT", "PATCH"} else {}
                for headers in ({}, {"Authorization": "Bearer other"}):
                    answer = client.request(method, path, headers=headers, **body)
                    assert answer.status_code == 401, answer.text
                    if method != "HEAD":
                        refused(answer)


def filled(template: str, value: str) -> str:
    return re.sub(r"\{[^}]+\}", value, template)


def test_what_is_open_is_there(guarded: Guarded) -> None:
    assert set(ROUTES) >= OPEN
    with Client(guarded.server.url) as client:
        for route in OPEN - {"POST /v1/oauth/tokens"}:
            assert client.get(route.partition(" ")[2]).status_code == 200


@pytest.mark.parametrize("path", ["/v1/nothing", "/management/v1/nothing", "/v1/x/y/z", "/v1"])
def test_unknown_routes_ask_too(guarded: Guarded, path: str) -> None:
    """Without a credential nobody learns which routes there are."""
    refused(requests.get(guarded.server.url + path, timeout=30))


def test_json_of_a_token_may_not_repeat_members(guarded: Guarded) -> None:
    """A token whose JSON says two things is signed by nobody but us, so its signature is what fails."""
    _, claims, signature = parts_of(guarded.genuine)
    text = json.dumps(claims)[:-1] + ', "sub": "1"}'
    header = guarded.genuine.partition(".")[0]
    refused(guarded.bear(f"{header}.{encoded(text.encode())}.{signature}"))
