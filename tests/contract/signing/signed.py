"""A client that lets the catalog sign what it sends to the store, as tests use it."""

from collections.abc import Mapping
from typing import Any, Self
from urllib.parse import quote

import requests

from tests.contract.calls import Tabular, ok
from tests.factories import create_table_request, unique_name
from tests.support.minio import Minio
from tests.support.server import Client


class Signed:
    """Requests of one table; its files are at ``path`` of the store."""

    def __init__(self, client: Client, minio: Minio, table: Tabular, route: str = "") -> None:
        self._begin(client, minio, table.load()["metadata"]["location"], route or f"{table.path}/sign")
        self.table = table

    @classmethod
    def at(cls, client: Client, minio: Minio, location: str, route: str) -> Self:
        """For a location that need not be that of a table."""
        made = cls.__new__(cls)
        made._begin(client, minio, location, route)
        return made

    def _begin(self, client: Client, minio: Minio, location: str, route: str) -> None:
        self.client, self.minio, self.location, self.route = client, minio, location, route
        self.bucket, _, self.path = location.removeprefix("s3://").partition("/")

    def uri(self, key: str = "", query: str = "") -> str:
        """Return the address of an object of the table, or with an empty key of its bucket."""
        path = f"/{self.bucket}/{quote(f'{self.path}/{key}')}" if key else f"/{self.bucket}"
        return f"{self.minio.endpoint}{path}" + (f"?{query}" if query else "")

    def listing(self, prefix: str, more: str = "") -> str:
        return self.uri(query=f"list-type=2&prefix={quote(prefix, safe='')}{more}")

    def ask(
        self, method: str, uri: str, headers: Mapping[str, str] | None = None, **more: Any
    ) -> requests.Response:
        """Ask for a signature."""
        given = {name: [value] for name, value in (headers or {}).items()}
        body = {"region": self.minio.region, "uri": uri, "method": method, "headers": given, **more}
        return self.client.post(self.route, json=body)

    def send(
        self, method: str, uri: str, data: bytes = b"", headers: Mapping[str, str] | None = None, **more: Any
    ) -> requests.Response:
        """Have a request signed and send it to the store, as Java clients do: their own headers win."""
        signed = ok(self.ask(method, uri, headers, **more))
        given = {name: ",".join(values) for name, values in signed["headers"].items()}
        return deliver(method, signed["uri"], {**given, **(headers or {})}, data)


def deliver(method: str, uri: str, headers: Mapping[str, str], data: bytes = b"") -> requests.Response:
    """Send a request to the store just as it is."""
    with requests.Session() as session:
        session.trust_env = False
        request = requests.Request(method, uri, headers=dict(headers), data=data or None).prepare()
        request.url = uri
        return session.send(request, timeout=30)


def new_table(session: Client, namespace: str, **more: Any) -> Tabular:
    """Create a table; ``namespace`` is its path."""
    name = unique_name("t")
    ok(session.post(f"{namespace}/tables", json=create_table_request(name, **more)))
    return Tabular(session, namespace.rpartition("/")[2], name, f"{namespace}/tables/{name}")
