"""Two nodes with one content: one answers hot reads in its lean loop, the other all by stock gunicorn and Flask."""

from typing import NamedTuple

from tests.factories import create_table_request, unique_name
from tests.support.identities import Identities
from tests.support.server import TestServer

HOST = b"Host: localhost\r\n"


class Ways(NamedTuple):
    """``path`` is a namespace that ``token`` may read."""

    hot: TestServer
    stock: TestServer
    path: str
    token: str

    @property
    def ports(self) -> tuple[int, int]:
        return self.hot.port, self.stock.port

    def get(self, *lines: str, target: str = "", method: str = "GET", version: str = "HTTP/1.1") -> bytes:
        """Return a plain request with further lines of the head."""
        return "\r\n".join([f"{method} {target or self.path} {version}", *self.lines, *lines, "", ""]).encode(
            "latin-1"
        )

    @property
    def lines(self) -> list[str]:
        return ["Host: localhost", f"Authorization: Bearer {self.token}"]

    @property
    def last(self) -> bytes:
        """A request after which the server closes."""
        return self.get("Connection: close")


def furnished(hot: TestServer, stock: TestServer) -> Ways:
    """Put something into the catalog of two nodes."""
    identities = Identities(stock)
    space = unique_name("ns")
    body = {"namespace": [space], "properties": {"owner": "ada"}}
    identities.admin.post("/v1/namespaces", json=body).raise_for_status()
    path = f"/v1/namespaces/{space}"
    identities.admin.post(f"{path}/tables", json=create_table_request("t")).raise_for_status()
    return Ways(hot, stock, path, identities.token(identities.root))
