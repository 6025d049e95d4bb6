"""Principals of OpenID providers that are let in before they show a token, or again after they were deleted."""

from app.auth.freshness import bump_security_version
from app.auth.openid import is_subject
from app.catalog.context import Caller, Catalog, Warehouse
from app.catalog.idempotency import keep_result, mutation, once
from app.catalog.principal_rows import describe_principal, record_security
from app.errors import AlreadyExistsException, BadRequestException, IllegalArgumentException
from app.metadata.shapes import JsonObject


def _revive(_catalog: Catalog, _warehouse: Warehouse, result: JsonObject) -> JsonObject:
    return result


@once(_revive)
def admit_principal(catalog: Catalog, caller: Caller, realm: Warehouse, name: str) -> JsonObject:
    """Make a principal that its provider vouches for; it has no secret here.

    :param realm: the default warehouse, among whose idempotency keys the caller's is
    :param name: ``provider:subject``, the subject as the provider's tokens have it
    :raises BadRequestException: when the name is malformed
    :raises IllegalArgumentException: when the settings have no such provider
    :raises AlreadyExistsException: when it is there
    """
    provider, colon, subject = name.partition(":")
    if not (provider and colon and is_subject(subject)):
        raise BadRequestException(f"Invalid name {name[:400]!r}: expected provider:subject, printable")
    issuer = _issuer(catalog, provider)
    with mutation(catalog, caller, realm) as tx:
        row = tx.fetch_one(
            "create_openid_principal",
            name=name,
            issuer=issuer,
            subject=subject,
            created_by=caller.principal,
        )
        if row is None:
            raise AlreadyExistsException(f"Principal already exists: {name}")
        made = describe_principal(row)
        record_security(tx, "principal.created", row, caller.origin, issuer=issuer)
        keep_result(tx, caller, realm, made)
        bump_security_version(tx)
    return made


def _issuer(catalog: Catalog, name: str) -> str:
    providers = catalog.settings.auth.openid.all().values()
    found = next((provider.issuer for provider in providers if provider.name == name), None)
    if found is None:
        known = ", ".join(provider.name for provider in providers) or "none"
        raise IllegalArgumentException(f"No OpenID provider is called {name}: auth.openid has {known}")
    return found
