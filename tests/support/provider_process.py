"""An OpenID provider in a process of its own: ``python -m tests.support.provider_process FOLDER PORT [CERT KEY]``.

It signs with RS256 and ES256, gives tokens to clients for their credentials, and does what tests ask for at
``/control/...``. Its keys lie in FOLDER, so that it is the same after a restart.
"""

import base64
import json
import ssl
import sys
import threading
import time
import uuid
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qs, unquote_plus

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

CURRENT = "current"
KEYS = ("/realms/lake/keys?kind=all", "/openid/v1/jwks")


class Keys:
    """Pairs of keys, one for each algorithm: ``current/RS256.pem``; withdrawn ones are forgotten."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.private: dict[str, Any] = {}
        for path in sorted(folder.glob("*.pem")):
            self.private[path.stem] = serialization.load_pem_private_key(path.read_bytes(), None)

    def rotate(self) -> dict[str, str]:
        """Make new keys beside the old ones and return their ids by algorithm."""
        made = {
            "RS256": rsa.generate_private_key(65537, 2048),
            "ES256": ec.generate_private_key(ec.SECP256R1()),
        }
        ids = {}
        for algorithm, key in made.items():
            kid = f"{algorithm}-{uuid.uuid4().hex[:8]}"
            pem = key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            (self.folder / f"{kid}.pem").write_bytes(pem)
            self.private[kid] = key
            ids[algorithm] = kid
        (self.folder / CURRENT).write_text(json.dumps(ids))
        return ids

    def current(self) -> dict[str, str]:
        return dict(json.loads((self.folder / CURRENT).read_text()))

    def withdraw(self, kids: list[str]) -> None:
        for kid in kids:
            del self.private[kid]
            (self.folder / f"{kid}.pem").unlink()

    def published(self) -> list[dict[str, Any]]:
        return [
            {
                **jwt.get_algorithm_by_name(kid[:5]).to_jwk(key.public_key(), as_dict=True),
                "kid": kid,
                "alg": kid[:5],
                "use": "sig",
            }
            for kid, key in self.private.items()
        ]


class State:
    """``mode`` is how keys are answered: ``good``, ``broken`` (500), ``page`` (HTML), ``huge``, ``elsewhere`` (a
    redirect), ``slow`` (a byte now and then). With ``bearer`` they are only for those who show it."""

    def __init__(self, folder: Path, port: int, scheme: str) -> None:
        self.issuer = f"{scheme}://127.0.0.1:{port}/realms/lake"
        self.keys = Keys(folder)
        if not self.keys.private:
            self.keys.rotate()
        self.clients: dict[str, dict[str, Any]] = {}
        self.mode = "good"
        self.bearer = ""
        self.asked: Counter[str] = Counter()
        self.seen_authorization: list[str] = []

    def claims(self, given: dict[str, Any]) -> dict[str, Any]:
        now = int(time.time())
        base = {"iss": self.issuer, "iat": now, "exp": now + 300, "jti": uuid.uuid4().hex}
        return {name: value for name, value in {**base, **given}.items() if value is not None}

    def sign(
        self, claims: dict[str, Any], algorithm: str = "RS256", kid: str | None = None, **header: Any
    ) -> str:
        """A token with the current key of the algorithm, or the one called ``kid``."""
        kid = kid or self.keys.current()[algorithm]
        head = {"kid": kid, **header}
        return jwt.encode(self.claims(claims), self.keys.private[kid], algorithm, headers=head)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    state: ClassVar[State]

    def do_GET(self) -> None:
        state, path = self.state, self.path
        state.asked[path] += 1
        if path == "/realms/lake/.well-known/openid-configuration":
            self.answer(
                {
                    "issuer": state.issuer,
                    "jwks_uri": f"{state.issuer}/keys?kind=all",
                    "token_endpoint": f"{state.issuer}/token",
                }
            )
        elif path in KEYS:
            state.seen_authorization.append(self.headers.get("Authorization", ""))
            if state.bearer and state.seen_authorization[-1] != f"Bearer {state.bearer}":
                self.answer({"error": "forbidden"}, 403)
            else:
                self.answer_keys()
        else:
            self.answer({"error": "not found"}, 404)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == "/realms/lake/token":
            self.give_token({name: values[0] for name, values in parse_qs(body.decode()).items()})
        elif self.path.startswith("/control/"):
            self.answer(self.control(self.path.removeprefix("/control/"), json.loads(body or b"{}")))
        else:
            self.answer({"error": "not found"}, 404)

    def answer(self, document: Any, status: int = 200, kind: str = "application/json") -> None:
        data = document if isinstance(document, bytes) else json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        if status == 302:
            self.send_header("Location", f"{self.state.issuer}/elsewhere")
        self.end_headers()
        self.wfile.write(data)

    def answer_keys(self) -> None:
        document = {"keys": self.state.keys.published()}
        match self.state.mode:
            case "broken":
                self.answer({"error": "broken"}, 500)
            case "page":
                self.answer(b"<html>sign in</html>", kind="text/html")
            case "huge":
                self.answer({**document, "padding": "x" * 2_000_000})
            case "elsewhere":
                self.answer({}, 302)
            case "slow":
                self.drip(json.dumps(document).encode())
            case _:
                self.answer(document)

    def drip(self, data: bytes) -> None:
        """Send bytes so seldom that no time limit between two of them helps."""
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        pause = threading.Event()
        for byte in data:
            self.wfile.write(bytes([byte]))
            pause.wait(0.5)

    def give_token(self, form: dict[str, str]) -> None:
        given = self.headers.get("Authorization", "").partition(" ")
        if given[0] == "Basic":
            name, _, secret = base64.b64decode(given[2]).decode().partition(":")
            form |= {"client_id": unquote_plus(name), "client_secret": unquote_plus(secret)}
        client = self.state.clients.get(form.get("client_id", ""))
        if form.get("grant_type") != "client_credentials":
            self.answer({"error": "unsupported_grant_type"}, 400)
        elif client is None or client["secret"] != form.get("client_secret"):
            self.answer({"error": "invalid_client"}, 401)
        else:
            self.state.asked["token"] += 1
            seconds = client.get("seconds", 300)
            claims = {"sub": form["client_id"], "exp": int(time.time()) + seconds, **client["claims"]}
            token = self.state.sign(claims, client.get("algorithm", "RS256"))
            self.answer({"access_token": token, "token_type": "Bearer", "expires_in": seconds})

    def control(self, order: str, given: dict[str, Any]) -> Any:
        state = self.state
        match order:
            case "sign":
                return {"token": state.sign(**given)}
            case "rotate":
                return {"before": state.keys.current(), "now": state.keys.rotate()}
            case "withdraw":
                state.keys.withdraw(given["kids"])
            case "client":
                state.clients[given["id"]] = given
            case "mode":
                state.mode = given["mode"]
            case "bearer":
                state.bearer = given["bearer"]
            case "asked":
                return {"asked": state.asked, "authorization": state.seen_authorization}
        return {}

    def log_message(self, *arguments: Any) -> None:
        """Say nothing."""


def main() -> None:
    folder, port, pair = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    Handler.state = State(folder, port, "https" if pair else "http")
    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    if pair:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*pair)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
