"""TLS of the listening port: the certificate in use, and how a connection begins and ends."""

import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import gevent

from app.config import TlsSettings
from app.config.certificates import Certificate, CertificateProblem, read_certificate
from app.errors import ForbiddenException
from app.observability.logs import get_logger
from app.observability.middleware import PROBES

log = get_logger("tls")

HANDSHAKE = b"\x16"
"""The first byte of every client that speaks TLS."""

_VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
Signature = tuple[tuple[int, int, int] | None, ...]


class Certificates:
    """``context`` is for new connections; ``refresh`` takes changed files, open connections keep what they have.

    ``certificate`` is what the master has read: a worker that starts while the files are broken goes on with that.
    """

    def __init__(self, tls: TlsSettings, certificate: Certificate) -> None:
        self._tls = tls
        self._seen: Signature = ()
        self._use(certificate)
        self.refresh()

    def refresh(self) -> None:
        """Look at the files; a pair that cannot be used is told once, and the one in use stays."""
        seen = self._signature()
        if seen == self._seen:
            return
        self._seen = seen
        try:
            found = read_certificate(self._tls)
            if found == self._certificate:
                return
            self._use(found)
        except (CertificateProblem, OSError) as error:
            log.error("certificate not replaced", cert_file=self._tls.cert_file, reason=str(error))
            return
        log.info("certificate replaced", cert_file=self._tls.cert_file, expires=found.expires.isoformat())

    def begin(self, client: Any) -> ssl.SSLSocket | None:
        """Shake hands within ``server.tls.handshake_timeout``; None when it fails, and the connection is closed."""
        secured = self.context.wrap_socket(client, server_side=True, do_handshake_on_connect=False)
        try:
            with gevent.Timeout(self._tls.handshake_timeout):
                secured.do_handshake()
        except (OSError, gevent.Timeout) as error:
            log.debug("handshake failed", reason=str(error))
            secured.close()
            return None
        except BaseException:
            secured.close()
            raise
        return secured

    def check_client(self, client: ssl.SSLSocket, path: str) -> None:
        """Where clients need certificates, only probes are answered without one.

        Raises ``ForbiddenException``.
        """
        if self._tls.client_ca_file and path not in PROBES and not client.getpeercert(binary_form=True):
            raise ForbiddenException("A client certificate is needed (server.tls.client_ca_file)")

    def _use(self, certificate: Certificate) -> None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.minimum_version = _VERSIONS[self._tls.min_version]
        context.set_alpn_protocols(["http/1.1"])
        with _in_memory(certificate.chain) as chain, _in_memory(certificate.key) as key:
            context.load_cert_chain(chain, key)
        if certificate.client_authorities:
            context.load_verify_locations(cadata=certificate.client_authorities.decode("ascii", "replace"))
            context.verify_mode = ssl.CERT_OPTIONAL
        self.context, self._certificate = context, certificate

    def _signature(self) -> Signature:
        return tuple(
            _stat(path) for path in (self._tls.cert_file, self._tls.key_file, self._tls.client_ca_file)
        )


def say_goodbye(client: Any) -> None:
    """Tell a TLS client that nothing follows, without waiting for its answer; nothing for a plain connection."""
    if hasattr(client, "unwrap"):
        with suppress(OSError, ValueError):
            client.settimeout(0)
            client.unwrap()


@contextmanager
def _in_memory(data: bytes) -> Iterator[str]:
    """A path to ``data``: what was checked is what is loaded, whatever happens to the files meanwhile."""
    with os.fdopen(os.memfd_create("certificate", os.MFD_CLOEXEC), "wb") as file:
        file.write(data)
        file.flush()
        yield f"/proc/self/fd/{file.fileno()}"


def _stat(path: str) -> tuple[int, int, int] | None:
    try:
        found = Path(path).stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
