"""A real OpenID provider on loopback, which does what tests tell it to."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Self

import requests

from tests.support.certificates import Pair
from tests.support.process import SetupError, eventually, free_port, start, stop

ROOT = Path(__file__).resolve().parents[2]
AUDIENCE = "bingsan"


class Provider:
    """Its issuer is ``issuer``; see :mod:`tests.support.provider_process` for what it can do.

    With ``pair`` it speaks TLS; ``authority`` is the file of who signed that.
    """

    def __init__(self, pair: Pair | None = None, authority: Path | None = None) -> None:
        self.pair = pair
        self.folder = Path(tempfile.mkdtemp(prefix="bingsan-provider-"))
        self.port = free_port()
        self.url = f"http{'s' if pair else ''}://127.0.0.1:{self.port}"
        self.issuer = f"{self.url}/realms/lake"
        self.token_url = f"{self.issuer}/token"
        self.process: subprocess.Popen[bytes] | None = None
        self.session = requests.Session()
        self.session.trust_env = False
        if authority:
            self.session.verify = str(authority)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *fault: object) -> None:
        self.stop()
        self.session.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self) -> Self:
        """Start it, with the keys that it had before."""
        command = [
            sys.executable,
            "-m",
            "tests.support.provider_process",
            self.folder,
            str(self.port),
            *(self.pair or ()),
        ]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        self.process = start(command, self.folder / "log", env=environment, cwd=self.folder)
        eventually(self.is_ready, 30, "the OpenID provider answers")
        return self

    def stop(self) -> None:
        """Stop it; nobody listens on its port then."""
        process, self.process = self.process, None
        if process is not None:
            stop(process)

    def is_ready(self) -> bool:
        if self.process is None or self.process.poll() is not None:
            raise SetupError(f"the OpenID provider ended: {(self.folder / 'log').read_text()}")
        try:
            return self.session.post(f"{self.url}/control/asked", timeout=2).ok
        except requests.ConnectionError:
            return False

    def order(self, order: str, **given: Any) -> Any:
        answer = self.session.post(f"{self.url}/control/{order}", json=given, timeout=10)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def token(
        self,
        subject: str | None = "alice",
        *,
        algorithm: str = "RS256",
        kid: str | None = None,
        **claims: Any,
    ) -> str:
        """Return a signed token; a claim that is None is left out."""
        given = {"aud": AUDIENCE, "sub": subject, **claims}
        return str(self.order("sign", claims=given, algorithm=algorithm, kid=kid)["token"])

    def rotate(self) -> dict[str, str]:
        """Sign with new keys from now on and return the ids of those before, which stay good."""
        return dict(self.order("rotate")["before"])

    def withdraw(self, kids: dict[str, str]) -> None:
        """Publish these keys no more."""
        self.order("withdraw", kids=list(kids.values()))

    def add_client(self, name: str, secret: str, *, seconds: int = 300, **claims: Any) -> None:
        """Let a client have tokens for its credentials, each good for ``seconds``."""
        self.order("client", id=name, secret=secret, seconds=seconds, claims={"aud": AUDIENCE, **claims})

    def published(self) -> list[dict[str, Any]]:
        """Return its public keys."""
        return list(self.session.get(f"{self.issuer}/keys?kind=all", timeout=10).json()["keys"])

    def behave(self, mode: str) -> None:
        self.order("mode", mode=mode)

    def asked_for_keys(self) -> int:
        """Return how often somebody fetched the keys."""
        return len(self.order("asked")["authorization"])

    def require(self, bearer: str) -> None:
        """Give keys only to those who show this token."""
        self.order("bearer", bearer=bearer)

    def tokens_given(self) -> int:
        """Return how many tokens clients got for their credentials."""
        return int(self.order("asked")["asked"].get("token", 0))

    def item(self, **more: Any) -> dict[str, Any]:
        """Return what a server that trusts it has to be told; ``more`` are names of ``auth.openid``."""
        return {"issuer": self.issuer, "audience": AUDIENCE, "name": "corp", **more}

    def settings(self, **more: Any) -> dict[str, Any]:
        """Return that as settings of a server."""
        return {f"auth.openid.{name}": value for name, value in self.item(**more).items()}
