"""The TLS certificate of the node: can it be used, and for how long?"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography import x509

    from app.config.settings import TlsSettings

CHECKED = "BINGSAN_CERTIFICATE_CHECKED"
"""In the environment of children of a process that has read the files: they start even if those are broken now."""

_SOON = timedelta(days=14)


class CertificateProblem(Exception):
    """A file that cannot be used; ``key`` is its setting, ``str`` says why and never shows what is in it."""

    def __init__(self, key: str, problem: str) -> None:
        super().__init__(problem)
        self.key = f"server.tls.{key}"


@dataclass(frozen=True)
class Certificate:
    """What the files hold, all in PEM form; ``expires`` is when the server's own certificate ends."""

    chain: bytes
    key: bytes
    client_authorities: bytes
    expires: datetime

    def expires_soon(self) -> bool:
        return self.expires - datetime.now(UTC) < _SOON


def read_certificate(tls: "TlsSettings") -> Certificate:
    """The certificate behind the settings; raises ``CertificateProblem`` if a server could not use the files."""
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    chain, key = _read("cert_file", tls.cert_file), _read("key_file", tls.key_file)
    certificate = _certificate("cert_file", chain)
    try:
        private = load_pem_private_key(key, None)
    except TypeError:
        raise CertificateProblem("key_file", "is encrypted; a node starts without anybody to ask") from None
    except ValueError:
        raise CertificateProblem("key_file", "holds no private key in PEM form") from None
    if certificate.public_key() != private.public_key():
        raise CertificateProblem("key_file", "does not belong to the certificate of server.tls.cert_file")
    _check_dates(certificate)
    authorities = _read("client_ca_file", tls.client_ca_file) if tls.client_ca_file else b""
    if authorities:
        _certificate("client_ca_file", authorities)
    return Certificate(chain, key, authorities, certificate.not_valid_after_utc)


def certificate_problems(tls: "TlsSettings") -> Iterator[CertificateProblem]:
    """All that is missing, else the first thing wrong with the files."""
    missing = [name for name in ("cert_file", "key_file") if not getattr(tls, name)]
    for name in missing:
        yield CertificateProblem(name, "needed for server.tls.enabled")
    if not missing:
        try:
            read_certificate(tls)
        except CertificateProblem as problem:
            yield problem


def _certificate(key: str, data: bytes) -> "x509.Certificate":
    from cryptography import x509

    try:
        return x509.load_pem_x509_certificates(data)[0]
    except ValueError:
        raise CertificateProblem(key, "holds no certificate in PEM form") from None


def _check_dates(certificate: "x509.Certificate") -> None:
    now = datetime.now(UTC)
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if ends <= now:
        raise CertificateProblem("cert_file", f"expired at {ends.isoformat()}")
    if begins > now:
        raise CertificateProblem("cert_file", f"not valid before {begins.isoformat()}")


def _read(key: str, path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise CertificateProblem(key, f"cannot be read: {error.strerror}") from None
