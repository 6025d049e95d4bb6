"""The first administrator: nobody else could make one. It comes from the settings or from ``bingsan bootstrap``."""

from typing import NamedTuple

from app.auth.freshness import bump_security_version
from app.auth.secrets import hash_secret, match_secret, new_secret
from app.catalog.principal_rows import check_principal_name, record_security
from app.changes.origin import SETTINGS, Origin
from app.config import Settings
from app.db import Database, Row, Transaction
from app.errors import AlreadyExistsException


class NewClient(NamedTuple):
    """A principal with its secret, which nobody can see again."""

    client_id: str
    client_secret: str


def ensure_administrator(db: Database, settings: Settings) -> None:
    """Make the principal that ``auth.oauth2.client_id`` names an administrator, with the configured secret.

    What was changed elsewhere stays: a disabled one is not enabled again.

    :raises AlreadyExistsException: when the name is that of a principal of an external provider
    """
    oauth2 = settings.auth.oauth2
    if not (settings.auth.enabled and oauth2.client_id):
        return
    with db.transaction() as tx:
        tx.fetch_one("lock_administrators")
        row = tx.fetch_one("lock_principal", name=oauth2.client_id)
        if row is not None and row.kind == "openid":
            message = f"auth.oauth2.client_id {row.name} is the name of a principal of an external provider"
            raise AlreadyExistsException(message)
        changed = row is None
        if row is None:
            row = _create(tx, oauth2.client_id, SETTINGS)
        changed |= _follow_secret(tx, row, oauth2.client_secret)
        if tx.fetch_one("grant_administer", principal_id=row.id, granted_by=SETTINGS.principal) is not None:
            record_security(tx, "grant.created", row, SETTINGS, privilege="administer", object="server")
            changed = True
        if changed:
            bump_security_version(tx)


def bootstrap(db: Database, origin: Origin, name: str, *, another: bool = False) -> NewClient:
    """Make an administrator and return its only secret.

    :param another: whether it is made although there is one
    :raises AlreadyExistsException: when there is one, or the name is taken
    :raises BadRequestException: when the name is malformed
    """
    secret = new_secret()
    with db.transaction() as tx:
        tx.fetch_one("lock_administrators")
        found = tx.fetch_one("find_administrator")
        if found is not None and not another:
            raise AlreadyExistsException(f"There is an administrator already: {found.name}")
        if tx.fetch_one("lock_principal", name=check_principal_name(name)) is not None:
            raise AlreadyExistsException(f"Principal already exists: {name}")
        row = _create(tx, name, origin)
        tx.fetch_one("create_client_secret", principal_id=row.id, secret_hash=hash_secret(secret))
        tx.fetch_one("grant_administer", principal_id=row.id, granted_by=origin.principal)
        record_security(tx, "grant.created", row, origin, privilege="administer", object="server")
        bump_security_version(tx)
    return NewClient(name, secret)


def _create(tx: Transaction, name: str, origin: Origin) -> Row:
    row = tx.fetch_one("create_principal", name=name, kind="service", created_by=origin.principal)
    record_security(tx, "principal.created", row, origin)
    return row


def _follow_secret(tx: Transaction, row: Row, secret: str) -> bool:
    """Whether the secret is another one than before; then all others end."""
    known = tx.fetch_all("list_client_secrets", name=row.name)
    if match_secret([each.secret_hash for each in known], secret) is not None:
        return False
    tx.execute("end_client_secrets", principal_id=row.id, grace=0)
    tx.fetch_one("create_client_secret", principal_id=row.id, secret_hash=hash_secret(secret))
    record_security(tx, "principal.secret-changed", row, SETTINGS)
    return True
