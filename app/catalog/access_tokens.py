"""Access tokens that shall not hold any more, although they have not expired."""

import time

from app.auth.freshness import bump_security_version
from app.auth.oauth import EXPIRED_FOR
from app.catalog.context import Caller, Catalog, Warehouse
from app.catalog.idempotency import mutation, no_result, once
from app.changes.log import Change, record_change
from app.errors import BadRequestException
from app.identifiers import Namespace

LONGEST_ID = 64


@once(no_result)
def revoke_token(
    catalog: Catalog, caller: Caller, realm: Warehouse, token_id: str, expires_at: float | None
) -> None:
    """End one token. Nothing happens when that was done before.

    :param realm: the default warehouse, among whose idempotency keys the caller's is
    :param expires_at: seconds since the epoch; None when only the id is known
    :raises BadRequestException: when the id cannot be one
    """
    if not 1 <= len(token_id) <= LONGEST_ID or not token_id.isprintable():
        raise BadRequestException(f"Invalid jti: expected 1 to {LONGEST_ID} printable characters")
    latest = time.time() + catalog.settings.auth.token_expiry
    with mutation(catalog, caller, realm) as tx:
        row = tx.fetch_one(
            "revoke_token",
            token_id=token_id,
            revoked_by=caller.principal,
            expires_at=latest if expires_at is None else expires_at,
        )
        if row is None:
            return
        change = Change(
            action="token.revoked",
            warehouse_id=None,
            object_id=0,
            namespace=Namespace(),
            details={"jti": token_id},
        )
        record_change(tx, change, caller.origin)
        bump_security_version(tx)


def forget_revoked_tokens(catalog: Catalog) -> int:
    """Forget those that no client could exchange any more either; return how many."""
    return catalog.db.execute("forget_revoked_tokens", grace=EXPIRED_FOR)
