"""Connections of an S3 client that may only go to public addresses.

The check is made on the connected socket, before a byte is sent: what a name resolved to earlier says nothing about
where a connection goes now. Redirects are not followed by botocore's HTTP layer.
"""

import socket
from typing import Any

from botocore.awsrequest import (
    AWSHTTPConnection,
    AWSHTTPConnectionPool,
    AWSHTTPSConnection,
    AWSHTTPSConnectionPool,
)
from urllib3.exceptions import NewConnectionError

from app.storage.endpoints import is_public


class _Guarded:
    def _new_conn(self) -> socket.socket:
        self._check_name()
        connection: socket.socket = super()._new_conn()  # type: ignore[misc]
        if not is_public(str(connection.getpeername()[0])):
            connection.close()
            raise self._refusal()
        return connection

    def _check_name(self) -> None:
        """Do not even knock where the name leads to a place that is not public."""
        host, port = self._dns_host, self.port  # type: ignore[attr-defined]
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        if not all(is_public(str(entry[4][0])) for entry in found):
            raise self._refusal()

    def _refusal(self) -> NewConnectionError:
        return NewConnectionError(self, "the address is not public")  # type: ignore[arg-type]


class _GuardedConnection(_Guarded, AWSHTTPConnection):  # type: ignore[misc]
    pass


class _GuardedSecureConnection(_Guarded, AWSHTTPSConnection):  # type: ignore[misc]
    pass


class _GuardedPool(AWSHTTPConnectionPool):
    ConnectionCls = _GuardedConnection


class _GuardedSecurePool(AWSHTTPSConnectionPool):
    ConnectionCls = _GuardedSecureConnection


def guard(client: Any) -> None:
    """Keep a new client from connecting anywhere but to public addresses. It must not use a proxy."""
    pools = client._endpoint.http_session._manager.pool_classes_by_scheme
    if set(pools) != {"http", "https"}:
        raise TypeError(f"botocore's connection pools are not as expected: {sorted(pools)}")
    pools["http"], pools["https"] = _GuardedPool, _GuardedSecurePool
