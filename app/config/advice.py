"""What works but should be known: warnings of a configuration without faults."""

from collections.abc import Iterator

from app.config.certificates import read_certificate
from app.config.openid_checks import is_loopback
from app.config.settings import Settings


def advice(settings: Settings, *, certificate: bool) -> Iterator[str]:
    """One warning each, beginning with the key; ``certificate``: look into its files, which are known to be good."""
    server = settings.server
    if settings.auth.enabled and not (server.tls.enabled or is_loopback(server.host)):
        yield (
            f"server.host: {server.host} is reachable from other machines without TLS; a proxy that ends TLS is"
            " expected in front (or set server.tls.enabled)"
        )
    if not (settings.auth.enabled or is_loopback(server.host)):
        yield f"server.allow_unauthenticated: everybody who reaches {server.host} may do everything"
    if certificate and server.tls.enabled:
        found = read_certificate(server.tls)
        if found.expires_soon():
            yield f"server.tls.cert_file: the certificate expires at {found.expires.isoformat()}"
